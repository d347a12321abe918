#!/usr/bin/env python3
"""Writes order_cases.md: what real TensorFlow gives for programs that read and write one variable in one run.

    pip install tensorflow-cpu==2.21.0
    python make_order_cases.py order_cases.md

Each program runs many times, each time from the initial value: as it stands, with the graph rewriter (Grappler) off, and
with a random delay of up to 3 ms before each access, which brings out the results that TensorFlow's order allows but
seldom shows. The programs are those of issues of tensorflow/tensorflow, written anew.
"""
import collections
import os
import random
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
tf1.logging.set_verbosity(tf1.logging.ERROR)
RUNS = int(os.environ.get('RUNS', '1000'))
DELAYED_RUNS = RUNS // 5


class Build:
    """Makes the variables of a program, and delays where they are wanted."""

    def __init__(self, resource, delayed):
        self.resource = resource
        self.delayed = delayed

    def variable(self, value, **options):
        return tf1.get_variable(options.pop('name', 'v'), initializer=value, use_resource=self.resource, **options)

    def access(self, make):
        """Calls make() so that the node that it builds waits for a random time."""
        if not self.delayed:
            return make()
        wait = tf1.py_func(lambda: time.sleep(random.random() * 0.003), [], [], stateful=True)
        with tf1.control_dependencies([wait]):
            return make()


def issue_3879(b):
    v = b.variable(tf.constant(0))
    first = b.access(lambda: tf1.assign(v, v + 100))
    second = b.access(lambda: tf1.assign(v, v + 1))
    with tf1.control_dependencies([first, second]):
        c = tf.constant(0)
    return {'one run of [c, v]': [c, v]}, v


def issue_14498(b):
    v = b.variable(tf.constant(0))
    first = b.access(lambda: tf1.assign(v, 1))
    second = b.access(lambda: tf1.assign(v, 2))
    with tf1.control_dependencies([second]):
        with tf1.control_dependencies([first]):
            done = tf.no_op()
    return {'one run of done': done}, v


def issue_14498_chain(b):
    v = b.variable(tf.constant(1))
    first = b.access(lambda: tf1.assign(v, 0))
    second = b.access(lambda: tf1.assign(v, 2))
    with tf1.control_dependencies([first]):
        between = tf.no_op()
    with tf1.control_dependencies([between, second]):
        done = tf.no_op()
    return {'one run of done': done}, v


def issue_13174(b):
    v = b.variable(tf.constant(1))
    first = b.access(lambda: tf1.assign(v, v * 2))
    second = b.access(lambda: tf1.assign(v, v * 2))
    return {'one run of [first, second]': [first, second]}, v


def issue_13174_unlike(b):
    v = b.variable(tf.constant(1))
    first = b.access(lambda: tf1.assign(v, v * 2))
    second = b.access(lambda: tf1.assign(v, v * 3))
    return {'one run of [first, second]': [first, second]}, v


def issue_3886(b, value=(1.0,)):
    # A resource variable takes another shape only where it was made for any shape.
    x = tf1.Variable(0.0, shape=tf.TensorShape(None), use_resource=True) if b.resource else b.variable(tf.constant(0.0))
    write = b.access(lambda: tf1.assign(x, value, validate_shape=False))
    with tf1.control_dependencies([write]):
        plus = b.access(lambda: x + 2)
    return {'one run of plus': plus}, x


def issue_3886_longer(b):
    return issue_3886(b, (1.0, 1.0))


def issue_3886_same_shape(b):
    x = b.variable(tf.constant(0.0))
    write = b.access(lambda: tf1.assign(x, 1.0))
    with tf1.control_dependencies([write]):
        plus = b.access(lambda: x + 2)
    return {'one run of plus': plus}, x


def issue_38902(b):
    v = b.variable(tf.constant([1.0, 2.0]))
    write = b.access(lambda: tf1.assign(v, [10.0, 20.0]))
    read = b.access(lambda: tf.identity(v) + 0.0)
    return {'one run of [write.op, read]': [write.op, read]}, v


def measured(b):
    v = b.variable(tf.constant(3.0))
    y = v * v
    with tf1.control_dependencies([y]):
        write = tf1.assign(v, 100.0)
    with tf1.control_dependencies([write]):
        gradient = tf1.gradients(y, v)[0]
        now = tf.identity(v)
    return {'one run of [y, gradient, now]': [y, gradient, now]}, v


def measured_free(b):
    v = b.variable(tf.constant(3.0))
    y = b.access(lambda: v * v)
    gradient = tf1.gradients(y, v)[0]
    write = b.access(lambda: tf1.assign(v, 100.0))
    return {'one run of [y, gradient, write.op]': [y, gradient, write.op]}, v


def fetched_reference(b):
    v = b.variable(tf.constant(3.0))
    write = b.access(lambda: tf1.assign(v, 100.0))
    return {'one run of [v, write.op]': [v, write.op]}, v


CASES = [
    (issue_3879, 'Issue 3879: two assigns behind one control dependency',
     ['v = variable(0); first = assign(v, v + 100); second = assign(v, v + 1)',
      'control_dependencies([first, second]): c = constant(0)'],
     'c waits for first and second; nothing orders first and second, nor either of them and the fetch of v.'),
    (issue_14498, 'Issue 14498: two assigns behind nested control dependencies',
     ['v = variable(0); first = assign(v, 1); second = assign(v, 2)',
      'control_dependencies([second]): control_dependencies([first]): done = no_op()'],
     'done waits for first and second; nothing orders these two. v is read by a later run.'),
    (issue_14498_chain, 'Issue 14498, second program: a no_op between',
     ['v = variable(1); first = assign(v, 0); second = assign(v, 2)',
      'control_dependencies([first]): between = no_op()',
      'control_dependencies([between, second]): done = no_op()'],
     'done waits for second and between, between for first; nothing orders first and second. v is read by a later run.'),
    (issue_13174, 'Issue 13174: two equal assigns of v * 2',
     ['v = variable(1); first = assign(v, v * 2); second = assign(v, v * 2)'],
     'Each assign waits for its product, each product reads v; nothing orders the two pairs. v is read by a later run.'),
    (issue_13174_unlike, 'Issue 13174, second program: v * 2 and v * 3',
     ['v = variable(1); first = assign(v, v * 2); second = assign(v, v * 3)'],
     'As before, with products that cannot be merged into one node.'),
    (issue_3886, 'Issue 3886: an assign that changes the shape, then x + 2',
     ['x = variable(0.0); write = assign(x, [1.0], validate_shape=False)',
      'control_dependencies([write]): plus = x + 2'],
     'plus waits for write. For a reference plus reads `x/read`, an Identity that was built with the variable and waits '
     'for nothing. Each run has a session of its own. One element for one: Assign keeps the buffer and changes the shape '
     'of the variable alone.'),
    (issue_3886_longer, 'Issue 3886, variant: more elements than before',
     ['x = variable(0.0); write = assign(x, [1.0, 1.0], validate_shape=False)',
      'control_dependencies([write]): plus = x + 2'],
     'As before; here Assign has to take a new buffer.'),
    (issue_3886_same_shape, 'Issue 3886, control: the same without a change of shape',
     ['x = variable(0.0); write = assign(x, 1.0)', 'control_dependencies([write]): plus = x + 2'],
     'As before.'),
    (issue_38902, 'Issue 38902: no edge between an assign and a read',
     ['v = variable([1.0, 2.0]); write = assign(v, [10.0, 20.0]); read = identity(v) + 0.0'],
     'Nothing orders write and identity.'),
    (measured, 'The measured case: a gradient after its variable was assigned, with edges',
     ['v = variable(3.0); y = v * v', 'control_dependencies([y]): write = assign(v, 100.0)',
      'control_dependencies([write]): gradient = gradients(y, v)[0]; now = identity(v)'],
     'write waits for y; the nodes of the gradient and now wait for write. The gradient of a product takes both factors '
     'again: for a reference the live buffer behind `v/read`, for a resource the value that a ReadVariableOp gave.'),
    (measured_free, 'The measured case without edges',
     ['v = variable(3.0); y = v * v; gradient = gradients(y, v)[0]; write = assign(v, 100.0)'],
     'Nothing orders write and the three others.'),
    (fetched_reference, 'A fetched variable beside an assign',
     ['v = variable(3.0); write = assign(v, 100.0)'],
     'Nothing orders write and the fetch.'),
]


def text(value):
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(text(v) for v in value if v is not None) + ']'
    if value is None:
        return ''
    return np.array2string(np.asarray(value), separator=', ')


def observe(build, resource, delayed, rewriter, runs):
    """Counts of (what the run gave, the variable after it)."""
    with tf1.Graph().as_default():
        fetches, variable = build(Build(resource, delayed))
        (_, fetch), = fetches.items()
        config = tf1.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=8)
        if not rewriter:
            config.graph_options.rewrite_options.disable_meta_optimizer = True
            config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
        results = collections.Counter()
        init = tf1.global_variables_initializer()
        # Issue 3886 leaves a variable that its initializer, which checks the shape, cannot set again.
        runs_a_session = 1 if build in (issue_3886, issue_3886_longer) else runs
        for _ in range(runs // runs_a_session):
            with tf1.Session(config=config) as session:
                for _ in range(runs_a_session):
                    session.run(init)
                    got = text(session.run(fetch))
                    results[(got, text(session.run(variable)))] += 1
        return results


def main():
    lines = ['# Programs whose order TensorFlow leaves to chance, and what it gives', '',
             'Made by make_order_cases.py with TensorFlow %s on a CPU, eight inter-op threads. %d runs a row (%d with delays), '
             'each from the initial value;' % (tf.__version__, RUNS, DELAYED_RUNS),
             'a result is written "value of the fetches -> value of the variable afterwards", with its number of runs. '
             'No number is a promise: what',
             'counts is which results occur at all. "Rewriter off" is a session without Grappler and without common '
             'subexpression elimination; "delays"',
             'puts a random wait of up to 3 ms before each access.', '']
    for build, title, program, edges in CASES:
        (fetch_name,) = build_fetch_name(build)
        lines += ['## ' + title, '', '```python'] + program + ['# ' + fetch_name] + ['```', 'Edges: ' + edges, '',
                  '| variable | as it stands | rewriter off | delays |', '|---|---|---|---|']
        for resource in (False, True):
            cells = []
            for delayed, rewriter, runs in ((False, True, RUNS), (False, False, RUNS), (True, True, DELAYED_RUNS)):
                try:
                    counts = observe(build, resource, delayed, rewriter, runs)
                    cells.append('<br>'.join('`%s -> %s` %d' % (got or 'nothing', after, n)
                                             for (got, after), n in counts.most_common()))
                except (tf.errors.OpError, ValueError) as error:  # the message is the result
                    cells.append('%s: %s' % (type(error).__name__, ' '.join(str(error).split())))
            lines.append('| %s | %s |' % ('resource' if resource else 'reference', ' | '.join(cells)))
            print(title, lines[-1], flush=True)
        lines.append('')
    with open(sys.argv[1], 'w') as out:
        out.write('\n'.join(lines[:-1]) + '\n')


def build_fetch_name(build):
    with tf1.Graph().as_default():
        fetches, _ = build(Build(False, False))
        return list(fetches)


main()
