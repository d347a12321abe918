#!/usr/bin/env python3
"""Prints CRC-32 checksums (zlib's) of the bytes of long random tensors of a real TensorFlow, for tests/cpu/random_test.cpp.

    pip install tensorflow-cpu==2.21.0
    python make_random_checksums.py
"""
import os
import zlib

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
ops = tf1.raw_ops
SEEDS = dict(seed=11, seed2=22)

with tf1.Session() as session:
    def show(name, tensor):
        print('%-30s 0x%08x' % (name, zlib.crc32(session.run(tensor).tobytes())))

    for op in ('RandomUniform', 'RandomStandardNormal', 'TruncatedNormal'):
        for dtype in (tf.float16, tf.bfloat16, tf.float32):
            show(op + ' ' + dtype.name, getattr(ops, op)(shape=[1000003], dtype=dtype, **SEEDS))
    alpha = tf.constant([.3, .999, 1.5, 40.])
    show('RandomGamma float32', ops.RandomGamma(shape=[20000], alpha=alpha, **SEEDS))
    rate = tf.constant([.3, 9.99, 10., 40., 3000.])
    show('RandomPoissonV2 int32', ops.RandomPoissonV2(shape=[20000], rate=rate, dtype=tf.int32, **SEEDS))
    show('RandomShuffle int64', ops.RandomShuffle(value=tf.range(1000003, dtype=tf.int64), **SEEDS))
