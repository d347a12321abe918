#!/usr/bin/env python3
"""Writes lenet.steps.gz, mlp.steps.gz, resnet18.steps.gz: single training steps of real TensorFlow, to compare ours with.

    pip install tensorflow-cpu==2.21.0
    python make_training_steps.py --data ../../data/mnist10k --out steps [--models lenet mlp resnet18]

The models are those of training_models.py with MomentumOptimizer, two threads. For some steps S the file has the state
before the step (about that of a free run after S steps) and what TensorFlow makes of one step from there: the loss, and of
each gradient, slot and variable afterwards enough to tell by how much another tensor differs.

The state is stored coarsely, and TensorFlow is set to just what is stored. It is also moved a little (at step 0 too) so that
no ReLU and no max-pooling of the step decides by a difference that rounding could turn round: one such decision changes
gradients by 1e-3 of their norm, and TensorFlow's own kernels then differ by that (settle() below).

Each step is recorded with TensorFlow's oneDNN kernels off; beside it stands how far TensorFlow is from that with them on, and
how far both are from the same step computed by TensorFlow in double.

The file (gzip) is a sequence of lines; blanks separate the words of a line. Some lines are followed at once by bytes,
little endian, without a separator:

  varflow-golden-steps 1 MODEL
  batch N
  learning_rate X               decimal of the float32 value
  momentum X
  variable NAME SHAPE START SEED KIND
      SHAPE as 5,5,1,32; START glorot_uniform | zeros | ones; SEED is the op seed (the graph seed is 1); KIND trainable |
      moving. The slot of a trainable variable, NAME/Momentum, starts from zeros. In order of creation.
  losses plain N                + N float32: of a free run from the start, oneDNN off
  losses onednn N               + N float32: oneDNN on
  agree N                       the first N losses of both agree to 1e-5 relative
  step S DRAWS LOSS ONEDNN_LOSS DOUBLE_LOSS
      a recorded step on batch S (training_models.py says which); each random op has run DRAWS times before
  state variable|slot NAME ENCODING SCALE CRC N
      before the step. ENCODING start: the start value. steps: + N int8 q, start + float(q) * SCALE in float32, both
      operations rounded. exact: + N float32. CRC is zlib's crc32 of the float32 bytes.
  result gradient|slot|variable NAME NORM SUM ONEDNN DOUBLE ONEDNN_DOUBLE N     + 64 float64 + 64 float64 + N float32
      afterwards. NORM is the 2-norm; ONEDNN = |with oneDNN - without| / NORM; DOUBLE = |without - in double| / NORM;
      ONEDNN_DOUBLE = |with - in double| / NORM. First come the projections of the result without oneDNN, j = 0..63: sum
      over i of x[i] where bit j of hash64(1, i) (hash64.py) is 0, of -x[i] where it is 1, in double; then those of the
      result in double; then x[i * size / N], i = 0..N-1.
  end

The mean of the squares of (projection of ours - projection here) estimates |ours - theirs|^2; the norm that it gives has a
standard deviation of 9 %.
"""
import argparse
import gzip
import os
import pickle
import subprocess
import sys
import tempfile
import zlib

import numpy as np

from hash64 import hash64

MODELS = {'lenet': ([0, 10, 50, 200], 200), 'mlp': ([0, 10, 50, 200], 200), 'resnet18': ([0, 20], 40)}
# Steps of the stored state in units of its root mean square: coarse, so that millions of numbers fit.
COARSENESS = {'lenet': 1.0, 'mlp': 1.0, 'resnet18': 2.0}
EXACT_BELOW = 5000  # tensors with fewer elements are stored as they are
POOL_MARGIN = 4e-6  # what the largest of a pooling window must be ahead of the second, in units of the tensor's rms


def projections(x):
    total = np.zeros(64)
    flat = x.ravel().astype(np.float64)
    for begin in range(0, flat.size, 1 << 16):
        part = flat[begin:begin + (1 << 16)]
        bits = np.unpackbits(hash64(1, begin + np.arange(part.size)).view(np.uint8).reshape(-1, 8), axis=1,
                             bitorder='little')
        total += part @ (1.0 - 2.0 * bits)
    return total


def encode(start, now, coarseness):
    """(encoding, scale, stored numbers) of a state near `now`."""
    if np.array_equal(start, now):
        return 'start', np.float32(0), np.zeros(start.shape, np.int8)
    if now.size < EXACT_BELOW:
        return 'exact', np.float32(0), now
    delta = now.astype(np.float64) - start
    scale = np.float32(coarseness * np.sqrt(np.mean(delta * delta)))
    return 'steps', scale, np.clip(np.rint(delta / scale), -127, 127).astype(np.int8)


def decode(start, encoding, scale, stored):
    if encoding == 'exact':
        return stored
    return (start + (stored.astype(np.float32) * scale).astype(np.float32)).astype(np.float32)


class Trainer:
    """One model in a graph of its own, and its state by (kind, variable name)."""

    def __init__(self, model_name, data, double=False):
        import tensorflow as tf
        import training_models as models
        self.tf1 = tf1 = tf.compat.v1
        self.graph = tf1.Graph()
        with self.graph.as_default():
            tf1.set_random_seed(1)
            self.model = model = getattr(models, model_name)(tf.float64 if double else tf.float32)
            rates = [float(np.float32(x)) for x in (models.LEARNING_RATE, models.MOMENTUM)]
            optimizer = tf1.train.MomentumOptimizer(*rates)
            pairs = optimizer.compute_gradients(model.loss)
            self.train = tf1.group(optimizer.apply_gradients(pairs), *[update.op for update in model.updates])
            self.gradients = {v.op.name: g for g, v in pairs}
            self.state = {}
            for v, _, _ in model.variables:
                self.state['variable', v.op.name] = v
                if v.op.name in self.gradients:
                    self.state['slot', v.op.name] = optimizer.get_slot(v, 'momentum')
                    assert self.state['slot', v.op.name].op.name == v.op.name + '/Momentum'
            self.init = tf1.global_variables_initializer()
        self.batches = (models.Formula() if model_name == 'resnet18' else
                        models.Digits(data, [28, 28, 1] if model_name == 'lenet' else [784]))

    def session(self):
        config = self.tf1.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=2)
        session = self.tf1.Session(graph=self.graph, config=config)
        session.run(self.init)
        return session

    def feeds(self, step):
        images, labels = self.batches.batch(step)
        return {self.model.images: images, self.model.labels: labels}

    def free_run(self, steps, keep):
        """Losses of the first steps, and the state after each number of steps in `keep`."""
        losses, kept = [], {}
        with self.session() as session:
            for step in range(steps + 1):
                if step in keep:
                    kept[step] = session.run(self.state)
                if step < steps:
                    losses.append(session.run([self.model.loss, self.train], self.feeds(step))[0])
        return np.array(losses, np.float32), kept

    def load(self, session, state):
        for key, value in state.items():
            self.state[key].load(value, session)

    def one_step(self, step, state):
        """Loss and results of one step from `state`, with the random ops where they are after `step` runs."""
        with self.session() as session:
            self.load(session, state)
            for _ in range(step if self.model.random_op is not None else 0):
                session.run(self.model.random_op)
            loss, gradients, _ = session.run([self.model.loss, self.gradients, self.train], self.feeds(step))
            results = {('gradient', name): value for name, value in gradients.items()}
            results.update(session.run(self.state))
            return loss, results

    def kink_inputs(self, step, state):
        with self.session() as session:
            self.load(session, state)
            return session.run([kink.tensor for kink in self.model.kinks], self.feeds(step))


def pooling_windows(x):
    """The largest and the second of each 2x2 window, a row a window, a column a channel."""
    n, h, w, c = x.shape
    four = np.sort(x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(2, 4, 0, 1, 3, 5).reshape(4, -1, c), axis=0)
    return four[3], four[2]


def narrow_pools(x):
    """Channels in which some window that passes a gradient is decided by too little. Equal values come from equal pixels;
    whichever of them is taken, the gradients are the same."""
    first, second = pooling_windows(x)
    gap = first - second
    scale = np.sqrt(np.mean(x * x))
    bad = (gap < POOL_MARGIN * scale) & (gap > 1e-12 * scale) & (first > -0.01 * scale)
    return np.flatnonzero(bad.any(axis=0))


def bias_shift(values, scale):
    """What to add to a channel so that zero lies in the middle of the widest gap between its values near zero."""
    near = np.unique(values[np.abs(values) < 0.01 * scale])
    near = near[np.argsort(np.abs(near))[:20]]
    edges = np.sort(np.concatenate([near, [-0.01 * scale, 0.01 * scale] if near.size < 20 else []]))
    widest = np.argmax(np.diff(edges))
    return -(edges[widest] + edges[widest + 1]) / 2


def settle(twin, step, start, encoded):
    """Moves kernels and biases, layer by layer, until no kink of the step is within rounding. `twin` computes in double."""
    random = np.random.RandomState(step + 1)
    with twin.session() as session:
        twin.load(session, {key: decode(start[key], *code) for key, code in encoded.items()})

        def put(key, code):
            encoded[key] = code
            twin.load(session, {key: decode(start[key], *code)})

        for kink in twin.model.kinks:
            kernel, bias = ('variable', kink.kernel), ('variable', kink.bias)
            x = session.run(kink.tensor, twin.feeds(step))
            for attempt in range(100):
                narrow = narrow_pools(x) if kink.pooled else []
                if not len(narrow):
                    break
                encoding, scale, stored = encoded[kernel]
                rms = np.sqrt(np.mean(start[kernel]**2))
                if encoding == 'start' and stored.size < EXACT_BELOW:
                    encoding, stored = 'exact', start[kernel]
                elif encoding == 'start':
                    encoding, scale = 'steps', np.float32(1e-3) * rms
                stored = stored.copy()
                for channel in narrow:
                    if encoding == 'exact':
                        noise = random.randn(*stored.shape[:-1]) * 1e-3 * 1.2**attempt * rms
                        stored[..., channel] += noise.astype(np.float32)
                    else:
                        most = 1 + attempt // 4
                        stored[..., channel] += random.randint(-most, most + 1, stored.shape[:-1]).astype(np.int8)
                put(kernel, (encoding, scale, stored))
                x = session.run(kink.tensor, twin.feeds(step))
            else:
                raise RuntimeError('%s: no kernel found without narrow pooling windows' % kink.kernel)
            values = pooling_windows(x)[0] if kink.pooled else x.reshape(-1, x.shape[-1])
            now = decode(start[bias], *encoded[bias]).astype(np.float64)
            scale = np.sqrt(np.mean(x * x))
            shifted = now + [bias_shift(values[:, channel], scale) for channel in range(values.shape[1])]
            put(bias, ('exact', np.float32(0), shifted.astype(np.float32)))
    return encoded


def check_margins(name, plain, twin, step, state):
    """Prints the narrowest decision of each kind, in units of the rms error of its float32 tensor."""
    narrowest = []
    for kink, x32, x in zip(twin.model.kinks, plain.kink_inputs(step, state), twin.kink_inputs(step, state)):
        error = np.sqrt(np.mean((x32 - x)**2))
        if kink.pooled:
            first, second = pooling_windows(x)
            gap = (first - second)[first > 0]
            narrowest.append(gap[gap > 1e-12].min() / error)
            x = first
        narrowest.append(np.abs(x).min() / error)
    print('%s step %d: narrowest decision %.1f errors wide' % (name, step, min(narrowest)), flush=True)


def join(key):
    return ' '.join(map(str, key))


def work(model_name, data, folder, onednn):
    """What one process does: the free run and the recorded steps, with or without oneDNN, into plain or onednn.npz."""
    trainer = Trainer(model_name, data)
    steps, free_steps = MODELS[model_name]
    losses, kept = trainer.free_run(free_steps, steps)
    out = {'losses': losses}
    if onednn:
        with open(folder + '/state', 'rb') as file:
            encoded = pickle.load(file)
    else:
        twin = Trainer(model_name, data, double=True)
        encoded = {step: settle(twin, step, kept[0], {key: encode(kept[0][key], now, COARSENESS[model_name])
                                                      for key, now in kept[step].items()}) for step in steps}
        with open(folder + '/state', 'wb') as file:
            pickle.dump(encoded, file)
    for step in steps:
        state = {key: decode(kept[0][key], *code) for key, code in encoded[step].items()}
        runs = [('', trainer)] if onednn else [('', trainer), ('double ', twin)]
        for prefix, which in runs:
            loss, results = which.one_step(step, state)
            out['%s%d loss' % (prefix, step)] = loss
            for key, value in results.items():
                out['%s%d %s' % (prefix, step, join(key))] = value
        for key, value in state.items():
            out['crc %d %s' % (step, join(key))] = zlib.crc32(value.tobytes())
        if not onednn:
            check_margins(model_name, trainer, twin, step, state)
    np.savez(folder + ('/onednn.npz' if onednn else '/plain.npz'), **out)
    if onednn:
        return
    import training_models
    with open(folder + '/head', 'w') as head:
        head.write('varflow-golden-steps 1 %s\nbatch %d\n' % (model_name, trainer.model.batch))
        head.write('learning_rate %.9g\n' % np.float32(training_models.LEARNING_RATE))
        head.write('momentum %.9g\n' % np.float32(training_models.MOMENTUM))
        for v, start, seed in trainer.model.variables:
            head.write('variable %s %s %s %d %s\n' % (v.op.name, ','.join(map(str, v.shape.as_list())), start, seed,
                                                     'trainable' if v.op.name in trainer.gradients else 'moving'))


def sampled(x):
    count = min(32, x.size)
    return x.ravel()[np.arange(count) * x.size // count]


def norm(x):
    wide = x.astype(np.float64).ravel()
    return np.sqrt(wide @ wide)


def write(model_name, folder, path):
    plain, onednn = np.load(folder + '/plain.npz'), np.load(folder + '/onednn.npz')
    with open(folder + '/state', 'rb') as file:
        encoded = pickle.load(file)
    with open(path, 'wb') as raw, gzip.GzipFile('', 'wb', 9, raw, mtime=0) as out:
        def line(*words):
            out.write((' '.join(map(str, words)) + '\n').encode())

        with open(folder + '/head', 'rb') as head:
            out.write(head.read())
        a, b = plain['losses'], onednn['losses']
        for name, losses in (('plain', a), ('onednn', b)):
            line('losses', name, len(losses))
            out.write(losses.astype('<f4').tobytes())
        apart = np.abs(a.astype(np.float64) - b) > 1e-5 * np.abs(a)
        agree = int(np.argmax(apart)) if apart.any() else len(a)
        line('agree', agree)
        print('%s: agree for %d steps, last losses %.5f %.5f' % (model_name, agree, a[-1], b[-1]))
        for step, state in encoded.items():
            losses = [file['%s%d loss' % (prefix, step)] for file, prefix in ((plain, ''), (onednn, ''), (plain, 'double '))]
            line('step', step, step if model_name == 'lenet' else 0, *['%.9g' % loss for loss in losses[:2]],
                 '%.17g' % losses[2])
            for key, (encoding, scale, stored) in state.items():
                crc = 'crc %d %s' % (step, join(key))
                assert plain[crc] == onednn[crc]
                payload = b'' if encoding == 'start' else stored.astype('<f4' if encoding == 'exact' else 'i1').tobytes()
                line('state', join(key), encoding, '%.9g' % scale, plain[crc], stored.size if payload else 0)
                out.write(payload)
            differences = []
            prefix = '%d ' % step
            for key in [k[len(prefix):] for k in plain.files if k.startswith(prefix) and not k.endswith(' loss')]:
                x, other, exact = plain[prefix + key], onednn[prefix + key], plain['double ' + prefix + key]
                size = max(norm(x), 1e-300)
                three = [norm(other.astype(np.float64) - x) / size, norm(x - exact) / size, norm(other - exact) / size]
                differences.append((three, key))
                line('result', key, '%.17g' % norm(x), '%.17g' % x.astype(np.float64).sum(), *['%.3g' % d for d in three],
                     sampled(x).size)
                out.write(projections(x).astype('<f8').tobytes() + projections(exact).astype('<f8').tobytes() +
                          sampled(x).astype('<f4').tobytes())
            print('%s step %d: losses %.8g %.8g %.8g' % (model_name, step, *losses))
            for i, name in enumerate(('oneDNN from plain', 'plain from double', 'oneDNN from double')):
                worst = max(differences, key=lambda d: d[0][i])
                print('    worst of %s: %.2g (%s); %d of %d over 1e-5' %
                      (name, worst[0][i], worst[1], sum(d[0][i] > 1e-5 for d in differences), len(differences)), flush=True)
        line('end')
    print('%s: %d bytes' % (path, os.path.getsize(path)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', required=True, help='folder with the four files of the digits')
    parser.add_argument('--out', required=True, help='folder for the .steps.gz files')
    parser.add_argument('--models', nargs='*', default=list(MODELS))
    parser.add_argument('--worker', nargs=3, help='used by itself: model, folder, 0 or 1 for oneDNN')
    arguments = parser.parse_args()
    if arguments.worker:
        import tensorflow as tf
        tf.compat.v1.disable_v2_behavior()
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        work(arguments.worker[0], arguments.data, arguments.worker[1], arguments.worker[2] == '1')
        return
    os.makedirs(arguments.out, exist_ok=True)
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            for onednn in ('0', '1'):
                environment = dict(os.environ, TF_ENABLE_ONEDNN_OPTS=onednn, TF_CPP_MIN_LOG_LEVEL='3',
                                   CUDA_VISIBLE_DEVICES='')
                subprocess.run([sys.executable, __file__, '--data', arguments.data, '--out', arguments.out, '--worker',
                                model, folder, onednn], env=environment, check=True, stderr=subprocess.DEVNULL)
            write(model, folder, '%s/%s.steps.gz' % (arguments.out, model))


if __name__ == '__main__':
    main()
