#!/usr/bin/env python3
"""Writes control_flow.txt: what real TensorFlow gives for small programs of If and While with assigns in their bodies.

    pip install tensorflow-cpu==2.21.0
    python make_control_flow.py control_flow.txt

tests/plan/control_flow_test.cpp builds the same programs under the same names. A line is one program:
    NAME | results of its runs -> the variable v afterwards
Each value is "SHAPE DTYPE [ELEMENTS]". All numbers are small integers, so that they are exact in any order.
Where TensorFlow would leave the order of two accesses to chance, the program has a control dependency.
"""
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import function
from tensorflow.python.ops import gen_functional_ops as functional
from tensorflow.python.ops import gen_resource_variable_ops as resource

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
F, I, R = tf.float32, tf.int32, tf.resource
PROGRAMS = []


def program(build):
    PROGRAMS.append(build)
    return build


class Variable:
    def __init__(self, name, value, shape=None):
        value = np.array(value, np.float32)
        self.handle = resource.var_handle_op(dtype=F, shape=value.shape if shape is None else shape, shared_name=name)
        self.init = resource.assign_variable_op(self.handle, value)


def read(h):
    return resource.read_variable_op(h, F)


def add(h, x):
    return resource.assign_add_variable_op(h, x)


def after(*nodes):
    return tf.control_dependencies(nodes)


def turns(n, body, *inputs, types):
    """While(i < n) over (i, *inputs); the body gives what follows i."""
    @function.Defun(I, *types)
    def cond(i, *_):
        return i < n

    @function.Defun(I, *types)
    def step(i, *values):
        return (i + 1,) + tuple(body(i, *values))
    return functional._while(input=[tf.constant(0)] + list(inputs), cond=cond, body=step)


# Each gives a function that runs the program in a session and returns its results.
@program
def branch_assigns(v):
    @function.Defun(R)
    def yes(h):
        with after(add(h, 10.0)):
            return read(h)

    @function.Defun(R)
    def no(h):
        with after(add(h, -1.0)):
            return read(h) * 2.0
    p = tf1.placeholder(tf.bool, [])
    out = functional._if(cond=p, input=[v.handle], Tout=[F], then_branch=yes, else_branch=no)
    return lambda s: [s.run(out[0], {p: x}) for x in (True, False, True)]


@program
def effects_without_results(v):
    @function.Defun(R)
    def yes(h):
        add(h, 10.0)
        return tf.constant(5.0)

    @function.Defun(R)
    def no(h):
        return tf.constant(6.0)
    out = functional.stateless_if(cond=tf.constant(True), input=[v.handle], Tout=[F], then_branch=yes, else_branch=no)
    return lambda s: s.run(out)


def condition(value):
    def build(v):
        @function.Defun(F)
        def yes(x):
            return x + 1.0

        @function.Defun(F)
        def no(x):
            return x * 2.0
        out = functional._if(cond=tf.constant(value), input=[tf.constant(3.0)], Tout=[F], then_branch=yes,
                             else_branch=no)
        return lambda s: s.run(out)
    return build


for name, value in {
        'bool_true': True, 'bool_false': False, 'int_two': 2, 'int_zero': 0, 'float_half': np.float32(0.5),
        'float_zero': np.float32(0), 'long_three': np.int64(3), 'string_full': 'a', 'string_empty': '',
        'vector_of_false': [False], 'vector_empty': np.zeros(0, np.bool_)}.items():
    build = condition(value)
    build.__name__ = 'condition_' + name
    program(build)


@program
def loop_sums(v):
    def body(i, h):
        add(h, tf.cast(i, F))
        return [h]
    out = turns(10, body, v.handle, types=[R])
    return lambda s: s.run(out[0])


@program
def no_turns(v):
    def body(i, x, h):
        add(h, 1.0)
        return x + 1.0, h
    out = turns(0, body, tf.constant([4.0, 5.0]), v.handle, types=[F, R])
    return lambda s: s.run(out[:2])


@program
def numeric_loop_condition(v):
    @function.Defun(I, R)
    def cond(i, h):
        return 5 - i

    @function.Defun(I, R)
    def step(i, h):
        add(h, 1.0)
        return i + 1, h
    out = functional.stateless_while(input=[tf.constant(0), v.handle], cond=cond, body=step)
    return lambda s: s.run(out[0])


@program
def swapped_and_invariant(v):
    out = turns(7, lambda i, a, b, c: (b, a + b, c), tf.constant(0.0), tf.constant(1.0), tf.constant(9.0),
                types=[F, F, F])
    return lambda s: s.run(out[1:])


@program
def assigns_around_a_loop(v):
    first = resource.assign_variable_op(v.handle, 5.0)

    def body(i, h):
        add(h, 1.0)
        return [h]
    with after(first):
        loop = turns(3, body, v.handle, types=[R])
    with after(loop[0].op):
        last = add(v.handle, 100.0)
    with after(last):
        now = read(v.handle)
    return lambda s: s.run([loop[0], now])


@program
def handle_that_a_loop_gives(v):
    def body(i, h):
        add(h, 2.0)
        return [h]
    out = turns(4, body, v.handle, types=[R])
    now = read(out[1])
    return lambda s: s.run(now)


@program
def nested_loops_in_branches(v):
    def inner(i, h):
        add(h, 1.0)
        return [h]

    @function.Defun(I, R)
    def even(i, h):
        with after(add(h, read(h))):
            return tf.constant(1.0)

    @function.Defun(I, R)
    def odd(i, h):
        @function.Defun(I, I, R)
        def cond(j, n, h):
            return j < n

        @function.Defun(I, I, R)
        def step(j, n, g):
            add(g, 1.0)
            return j + 1, n, g
        out = functional._while(input=[tf.constant(0), i, h], cond=cond, body=step)
        return tf.cast(out[0], F)

    def body(i, x, h):
        picked = functional._if(cond=tf.equal(i % 2, 0), input=[i, h], Tout=[F], then_branch=even, else_branch=odd)
        return x + picked[0], h
    out = turns(6, body, tf.constant(0.0), v.handle, types=[F, R])
    return lambda s: s.run(out[:2])


@program
def growing_shape(v):
    out = turns(2, lambda i, x: [tf.concat([x, x], 0)], tf.constant([1.0, 2.0]), types=[F])
    total = tf.reduce_sum(out[1]) + 1.0
    return lambda s: [*s.run([out[1], total]), s.run(total)]


@program
def branches_of_two_shapes(v):
    @function.Defun(F)
    def yes(x):
        return tf.concat([x, x], 0)

    @function.Defun(F)
    def no(x):
        return x
    p = tf1.placeholder(tf.bool, [])
    out = functional._if(cond=p, input=[tf.constant([1.0, 2.0])], Tout=[F], then_branch=yes, else_branch=no)
    product = out[0] * 3.0
    return lambda s: [s.run(product, {p: x}) for x in (True, False, True)]


@program
def growing_shape_in_a_branch(v):
    @function.Defun(F, R)
    def yes(x, h):
        def body(i, y, g):
            add(g, tf.reduce_sum(y))
            return tf.concat([y, [1.0]], 0), g
        return turns(3, body, x, h, types=[F, R])[1]

    @function.Defun(F, R)
    def no(x, h):
        return x
    p = tf1.placeholder(tf.bool, [])
    out = functional._if(cond=p, input=[tf.constant([2.0]), v.handle], Tout=[F], then_branch=yes, else_branch=no)
    return lambda s: [s.run(out[0], {p: x}) for x in (False, True)]


@program
def variable_that_grows(v):
    w = Variable('w', [1.0], shape=tf.TensorShape(None))

    def body(i, h):
        now = read(h)
        resource.assign_variable_op(h, tf.concat([now, now], 0))
        return [h]
    loop = turns(2, body, w.handle, types=[R])
    with after(loop[0].op):
        now = read(w.handle)

    def run(s):
        s.run(w.init)
        return s.run([loop[0], now])
    return run


@program
def branches_that_give_a_variable_two_shapes(v):
    w = Variable('w', [1.0], shape=tf.TensorShape(None))

    @function.Defun(R)
    def yes(h):
        resource.assign_variable_op(h, [1.0, 2.0])
        return tf.constant(1.0)

    @function.Defun(R)
    def no(h):
        resource.assign_variable_op(h, [1.0, 2.0, 3.0])
        return tf.constant(0.0)
    p = tf1.placeholder(tf.bool, [])
    out = functional._if(cond=p, input=[w.handle], Tout=[F], then_branch=yes, else_branch=no)
    with after(out[0].op):
        now = read(w.handle) * 2.0
    return lambda s: [s.run(now, {p: x}) for x in (True, False, True)]


@program
def uninitialized_in_the_other_branch(v):
    w = Variable('w', 7.0, shape=tf.TensorShape(None))

    @function.Defun(R)
    def yes(h):
        return read(h)

    @function.Defun(R)
    def no(h):
        return tf.constant(6.0)
    p = tf1.placeholder(tf.bool, [])
    out = functional._if(cond=p, input=[w.handle], Tout=[F], then_branch=yes, else_branch=no)

    def run(s):
        before = s.run(out[0], {p: False})
        s.run(w.init)
        return [before, s.run(out[0], {p: True})]
    return run


def text(value):
    value = np.asarray(value)
    shape = '[' + ','.join(map(str, value.shape)) + ']'
    return f"{shape} {value.dtype.name} [{' '.join('%g' % x for x in value.ravel())}]"


def main():
    with open(sys.argv[1], 'w') as file:
        file.write(f'# Programs of If and While, run by TensorFlow {tf.__version__} through make_control_flow.py, which\n'
                   '# has them and describes the format.\n')
        for build in PROGRAMS:
            with tf.Graph().as_default():
                v = Variable('v', 1.0)
                run = build(v)
                now = read(v.handle)
                with tf1.Session() as session:
                    session.run(v.init)
                    results = run(session)
                    results = results if isinstance(results, list) else [results]
                    line = ' '.join(text(r) for r in results) + ' -> ' + text(session.run(now))
                file.write(f'{build.__name__} | {line}\n')


main()
