#!/usr/bin/env python3
"""Writes print_cases.txt: what TensorFlow's Print op says of tensors. Needs TensorFlow 2.21.

Usage: make_print_cases.py > print_cases.txt
Each line: dtype, shape, `summarize`, the values, and the text without message or newline, between tabs.
"""
import os
import sys
import tempfile

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

tf1 = tf.compat.v1
tf1.disable_v2_behavior()


def printed(value, summarize):
    """The text that the op writes to the standard error stream."""
    with tf.Graph().as_default(), tf1.Session() as session, tempfile.TemporaryFile() as file:
        op = tf1.raw_ops.Print(input=tf.constant(0.0), data=[value()], message='', summarize=summarize)
        session.run(tf.constant(0))  # what the start of a session says goes to the stream as it is
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            session.run(op)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        file.seek(0)
        return file.read().decode().rstrip('\n')


def case(dtype, shape, values, summarize):
    def value():
        return tf.constant(np.array(values).reshape(shape) if dtype == tf.string else values, dtype=dtype, shape=shape)
    words = ' '.join(v if isinstance(v, str) else repr(v + 0) for v in values)
    print('\t'.join([dtype.name, ','.join(map(str, shape)), str(summarize), words, printed(value, summarize)]))


print('# Made by make_print_cases.py with TensorFlow', tf.__version__)
floats = [1.5, -2.0, 1 / 3, 1e10, 1e-7, 100000.0, 1234567.0, 16777216.0, 0.1, 123456.7, 3e38, 1e-30]
for dtype in (tf.float32, tf.float64, tf.bfloat16):
    case(dtype, [12], floats, -1)
case(tf.float16, [5], [1.5, -2.0, 1 / 3, 65504.0, 1e-7], -1)
case(tf.float32, [3], [float('nan'), float('inf'), float('-inf')], -1)
for shape in ([], [1], [6], [2, 3], [3, 2], [6, 1], [1, 6], [1, 2, 3], [3, 1, 2], [2, 1, 3, 1], [0], [2, 0], [0, 2]):
    n = int(np.prod(shape))
    for summarize in (-1, 0, 1, 2, 3, 4, 5, 6, 7):
        case(tf.int32, shape, list(range(1, n + 1)), summarize)
        case(tf.bool, shape, [i % 3 == 0 for i in range(n)], summarize)
        case(tf.string, shape, [chr(97 + i) * (i + 1) for i in range(n)], summarize)
for dtype, values in ((tf.int64, [2**40, -1]), (tf.uint64, [2**63, 1]), (tf.uint8, [0, 255]), (tf.int8, [-128, 5]),
                      (tf.int16, [-300, 5]), (tf.uint16, [65535]), (tf.uint32, [2**32 - 1])):
    case(dtype, [len(values)], values, 3)
