"""TensorFlow's part: a graph and a Session of tf.compat.v1, with version 2's behaviour off.

With --inline ops run one after another on the thread that calls Session.run (inter_op_parallelism_threads of -1), which
is quicker where ops are small.
"""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

from typing import Any, Callable

import numpy as np
import tensorflow as tf

import tensorflow_models as models
from serve import CHECKED_STEPS, LEARNING_RATE, MOMENTUM, Arrays, Sizes, Work, serve

tf1 = tf.compat.v1
INLINE = '--inline' in sys.argv
tf1.disable_v2_behavior()
tf1.logging.set_verbosity(tf1.logging.ERROR)


class Variables:
    """Variables that start from given arrays."""

    def __init__(self, start: Arrays) -> None:
        self.start = start
        self.by_name: dict[str, Any] = {}

    def get(self, name: str, trainable: bool = True) -> Any:
        if name not in self.by_name:
            array = self.start[name]
            self.by_name[name] = tf1.get_variable(name, array.shape, tf.float32, tf1.zeros_initializer(),
                                                  trainable=trainable and '.moving_' not in name)
        return self.by_name[name]

    def restore(self, session: Any) -> None:
        values = {v.initial_value: self.start[name] for name, v in self.by_name.items()}
        session.run(self.initialize, values)

    def values(self, session: Any) -> Arrays:
        return dict(zip(self.by_name, session.run(list(self.by_name.values()))))

    def ready(self, threads: int) -> Any:
        """The session, once the graph is built."""
        self.initialize = tf1.global_variables_initializer()
        return tf1.Session(config=tf1.ConfigProto(intra_op_parallelism_threads=threads,
                                                  inter_op_parallelism_threads=-1 if INLINE else threads))


def training(model: Callable[..., Any]) -> Callable[[Arrays, int], Work]:
    def make(start: Arrays, threads: int) -> Work:
        variables = Variables(start)
        images, labels = start['feed.images'], start['feed.labels']
        x, y = tf1.placeholder(tf.float32, images.shape), tf1.placeholder(tf.int32, labels.shape)
        updates: models.Updates = []
        loss = models.loss_of(y, model(x, variables.get, updates))
        train = [tf1.train.MomentumOptimizer(LEARNING_RATE, MOMENTUM).minimize(loss)]
        train += [tf1.assign(variables.get(name), value) for name, value in updates]
        train_op = tf.group(*train)
        session = variables.ready(threads)
        run = session.make_callable([loss, train_op], [x, y])

        def answer() -> Arrays:
            variables.restore(session)
            losses = [run(images, labels)[0] for _ in range(CHECKED_STEPS)]
            return {**variables.values(session), 'loss': np.array(losses, np.float32)}

        return Work(lambda: variables.restore(session), lambda: run(images, labels), answer, 100)
    return make


def variable_work(start: Arrays, threads: int, build: Callable[[Variables], Any], prepared: bool, longest: int) -> Work:
    """Runs the op that `build` makes, by Session.run or, prepared, by make_callable."""
    variables = Variables(start)
    op = build(variables)
    session = variables.ready(threads)
    run = session.make_callable(op) if prepared else lambda: session.run(op)

    def answer() -> Arrays:
        variables.restore(session)
        for _ in range(CHECKED_STEPS):
            run()
        return variables.values(session)

    return Work(lambda: variables.restore(session), run, answer, longest)


def scale_kernel(prepared: bool) -> Callable[[Arrays, int], Work]:
    def build(variables: Variables) -> Any:
        kernel = variables.get('kernel')
        return tf1.assign(kernel, kernel * 0.9).op
    return lambda start, threads: variable_work(start, threads, build, prepared, 500)


def adjust_kernel(start: Arrays, threads: int) -> Work:
    def build(variables: Variables) -> Any:
        tf1.set_random_seed(1)
        kernel = variables.get('kernel')
        return tf1.assign_sub(kernel, tf1.random_normal(kernel.shape, seed=7)).op

    work = variable_work(start, threads, build, False, 500)
    changed = work.answer

    def answer() -> Arrays:
        arrays = changed()
        return {**arrays, 'deviation': np.sqrt(np.mean(np.square(arrays['kernel'], dtype=np.float64))).astype(np.float32)}

    work.answer = answer
    return work


def adam(start: Arrays, threads: int) -> Work:
    def build(variables: Variables) -> Any:
        weights, gradient = variables.get('weights'), variables.get('gradient', trainable=False)
        return tf1.train.AdamOptimizer(0.001).apply_gradients([(gradient.value(), weights)])

    work = variable_work(start, threads, build, True, 100)
    changed = work.answer
    work.answer = lambda: {'weights': changed()['weights']}
    return work


def chain(start: Arrays, threads: int) -> Work:
    feed_x, feed_w = start['feed.x'], start['feed.w']
    x, w = (tf1.placeholder(tf.float32, feed_x.shape) for _ in range(2))
    end = x
    for i in range(1000):
        end = end * w if i % 2 == 0 else end - w
    session = Variables(start).ready(threads)
    feeds = {x: feed_x, w: feed_w}

    def run() -> np.ndarray:
        return session.run(end, feeds)
    return Work(lambda: None, run, lambda: {'end': run()}, 1000000)


def sizes(start: Arrays, threads: int) -> Work:
    variables = Variables(start)
    x = tf1.placeholder(tf.float32, [None, None, None, 3])
    logits = models.small(x, variables.get)
    session = variables.ready(threads)
    variables.restore(session)
    return Sizes(start, session.make_callable(logits, [x]))


if __name__ == '__main__':
    serve('TensorFlow ' + tf.__version__, {
        'mlp': training(models.mlp), 'lenet': training(models.lenet), 'resnet18': training(models.resnet18),
        'adam': adam, 'scale_kernel': scale_kernel(False), 'scale_kernel_prepared': scale_kernel(True),
        'adjust_kernel': adjust_kernel, 'chain': chain, 'sizes': sizes})
