"""Prints what real TensorFlow makes of ties, NaN and -inf in max pooling, as tests/cpu/max_pool_gradient_test.cpp has it.

Run with TensorFlow 2.21 on a CPU: python max_pool_gradient.py
"""
import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_nn_ops

tf.compat.v1.disable_v2_behavior()
nan, inf = np.nan, np.inf

IMAGE = np.array([[-inf, -5, -5], [-5, nan, -5], [-5, -5, -5]], np.float32).reshape(1, 3, 3, 1)


def show(name, image, k, stride, padding):
    window, strides = [1, k, k, 1], [1, stride, stride, 1]
    pooled = tf.nn.max_pool(image, k, stride, padding)
    with tf.compat.v1.Session() as session:
        value = session.run(pooled)
        gradient = np.arange(1, value.size + 1, dtype=np.float32).reshape(value.shape)
        result = session.run(gen_nn_ops.max_pool_grad(image, value, gradient, window, strides, padding))
    print(name, "pooled", value.ravel().tolist(), "gradient", result.ravel().tolist())


show("equal 2x2 by 2:", np.zeros((1, 4, 4, 1), np.float32), 2, 2, "VALID")
show("mixed 3x3 by 1:", IMAGE, 3, 1, "SAME")
show("mixed 2x2 by 1:", IMAGE, 2, 1, "SAME")
show("mixed 2x2 by 2:", IMAGE, 2, 2, "SAME")
show("all NaN:", np.full((1, 2, 2, 1), nan, np.float32), 2, 2, "VALID")
show("all -inf:", np.full((1, 2, 2, 1), -inf, np.float32), 2, 2, "VALID")
