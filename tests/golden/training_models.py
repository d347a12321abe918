"""The three models of make_training_steps.py in tf.compat.v1, as Varflow builds them too.

Every variable is a reference variable of get_variable. Kernels start from glorot_uniform_initializer(seed=n), n = 1, 2, ...
in order of creation, under graph seed 1, so that nothing depends on how ops are counted; biases, beta and moving_mean
start from zeros, gamma and moving_variance from ones. Layouts: NHWC, HWIO kernels, padding SAME.
"""
import gzip

import numpy as np
import tensorflow as tf

from hash64 import hash64

tf1 = tf.compat.v1
DROPOUT_RATE = 0.4
DROPOUT_SEED = 100
LEARNING_RATE = 0.01
MOMENTUM = 0.9
BATCH_NORM_EPSILON = 0.001
MOVING_AVERAGE_DECAY = 0.9


class Kink:
    """Where a step is not smooth: the input of a ReLU, which may be followed by 2x2 max-pooling."""

    def __init__(self, tensor, pooled, kernel, bias):
        self.tensor, self.pooled = tensor, pooled
        self.kernel, self.bias = kernel, bias  # names of what makes a channel: a kernel's last dimension, a bias


class Model:
    """A graph of float32, or its twin in double: the same mathematics of the same variables and random numbers."""

    def __init__(self, batch, image_shape, dtype):
        self.batch, self.dtype = batch, dtype
        self.images = tf1.placeholder(dtype, [batch] + image_shape, 'images')
        self.labels = tf1.placeholder(tf.int32, [batch], 'labels')
        self.loss = None
        self.variables = []  # (variable, "glorot_uniform" | "zeros" | "ones", op seed)
        self.updates = []    # to run with each step
        self.random_op = None
        self.kinks = []

    def get(self, name, shape, start='zeros', trainable=True):
        seed = 0
        if start == 'glorot_uniform':
            seed = 1 + sum(s != 0 for _, _, s in self.variables)
            initializer = tf1.glorot_uniform_initializer(seed=seed)
        else:
            initializer = tf1.zeros_initializer() if start == 'zeros' else tf1.ones_initializer()
        variable = tf1.get_variable(name, shape, self.dtype, initializer, trainable=trainable, use_resource=False)
        self.variables.append((variable, start, seed))
        return variable

    def relu(self, x, kernel, bias, pooled=False):
        self.kinks.append(Kink(x, pooled, kernel.op.name, bias.op.name))
        return tf.nn.relu(x)

    def dense(self, x, name, units, relu=True):
        with tf1.variable_scope(name):
            kernel = self.get('kernel', [int(x.shape[1]), units], 'glorot_uniform')
            bias = self.get('bias', [units])
            x = tf.nn.bias_add(tf.matmul(x, kernel), bias)
            return self.relu(x, kernel, bias) if relu else x

    def dropout(self, x):
        if self.dtype == tf.float32:
            x = tf1.nn.dropout(x, rate=DROPOUT_RATE, seed=DROPOUT_SEED, name='dropout')
            self.random_op = tf1.get_default_graph().get_tensor_by_name('dropout/random_uniform/RandomUniform:0')
            return x
        self.random_op = tf1.random_uniform(x.shape, seed=DROPOUT_SEED)
        scale = tf.cast(tf.constant(1 / (1 - DROPOUT_RATE), tf.float32), self.dtype)
        return tf.where(self.random_op >= DROPOUT_RATE, x * scale, tf.zeros_like(x))

    def batch_norm(self, x, gamma, beta):
        """Also the batch's mean and its variance with n - 1 in the denominator, as the fused op gives them."""
        if self.dtype == tf.float32:
            return tf1.nn.fused_batch_norm(x, gamma, beta, epsilon=BATCH_NORM_EPSILON, is_training=True)
        mean, variance = tf1.nn.moments(x, [0, 1, 2])
        n = int(np.prod(x.shape[:3]))
        epsilon = float(np.float32(BATCH_NORM_EPSILON))
        return (x - mean) * tf1.rsqrt(variance + epsilon) * gamma + beta, mean, variance * (n / (n - 1))

    def finish(self, logits):
        losses = tf1.nn.sparse_softmax_cross_entropy_with_logits(labels=self.labels, logits=logits)
        self.loss = tf.reduce_mean(losses)
        return self


def lenet(dtype=tf.float32):
    m = Model(128, [28, 28, 1], dtype)
    x = m.images
    for name, channels in (('conv1', 32), ('conv2', 64)):
        with tf1.variable_scope(name):
            kernel = m.get('kernel', [5, 5, int(x.shape[3]), channels], 'glorot_uniform')
            bias = m.get('bias', [channels])
            x = tf.nn.bias_add(tf1.nn.conv2d(x, kernel, [1, 1, 1, 1], 'SAME'), bias)
            x = tf1.nn.max_pool(m.relu(x, kernel, bias, pooled=True), [1, 2, 2, 1], [1, 2, 2, 1], 'SAME')
    x = m.dropout(m.dense(tf.reshape(x, [-1, 7 * 7 * 64]), 'dense1', 512))
    return m.finish(m.dense(x, 'dense2', 10, relu=False))


def mlp(dtype=tf.float32):
    m = Model(128, [784], dtype)
    x = m.dense(m.dense(m.images, 'dense1', 512), 'dense2', 512)
    return m.finish(m.dense(x, 'dense3', 10, relu=False))


def resnet18(dtype=tf.float32):
    m = Model(16, [32, 32, 3], dtype)

    def convolution(x, name, size, channels, stride):
        """Convolution without bias, then batch normalization; the output, and the variables that make its channels."""
        with tf1.variable_scope(name):
            kernel = m.get('kernel', [size, size, int(x.shape[3]), channels], 'glorot_uniform')
            gamma, beta = m.get('gamma', [channels], 'ones'), m.get('beta', [channels])
            moving_mean = m.get('moving_mean', [channels], 'zeros', trainable=False)
            moving_variance = m.get('moving_variance', [channels], 'ones', trainable=False)
            x = tf1.nn.conv2d(x, kernel, [1, stride, stride, 1], 'SAME')
            x, mean, variance = m.batch_norm(x, gamma, beta)
            for moving, now in ((moving_mean, mean), (moving_variance, variance)):
                new = moving * MOVING_AVERAGE_DECAY + now * (1 - MOVING_AVERAGE_DECAY)
                m.updates.append(tf1.assign(moving, new))
            return x, kernel, beta

    x = m.relu(*convolution(m.images, 'stem', 3, 64, 1))
    for stage, channels in enumerate((64, 128, 256, 512), 1):
        for block in (1, 2):
            with tf1.variable_scope('stage%d/block%d' % (stage, block)):
                stride = 2 if stage > 1 and block == 1 else 1
                shortcut = convolution(x, 'projection', 1, channels, stride)[0] if stride == 2 else x
                y = m.relu(*convolution(x, 'conv1', 3, channels, stride))
                y, kernel, beta = convolution(y, 'conv2', 3, channels, 1)
                x = m.relu(y + shortcut, kernel, beta)
    return m.finish(m.dense(tf.reduce_mean(x, [1, 2]), 'dense', 10, relu=False))


def read_idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


class Digits:
    """Step s takes examples (128 s + i) mod 9000 of the digits in the order of the file; pixels / 255 in float32."""

    def __init__(self, folder, shape):
        self.images = read_idx(folder + '/train-images-idx3-ubyte.gz', 16).reshape([-1] + shape)
        self.labels = read_idx(folder + '/train-labels-idx1-ubyte.gz', 8)

    def batch(self, step):
        at = (step * 128 + np.arange(128)) % len(self.labels)
        return self.images[at].astype(np.float32) / np.float32(255), self.labels[at].astype(np.int32)


class Formula:
    """Step s: pixel k is (hash64(2, 49152 s + k) >> 40) * 2^-24, label i is hash64(3, 16 s + i) mod 10."""

    def batch(self, step):
        pixels = hash64(2, step * 16 * 32 * 32 * 3 + np.arange(16 * 32 * 32 * 3)) >> np.uint64(40)
        images = (pixels.astype(np.float64) * 2.0**-24).astype(np.float32).reshape(16, 32, 32, 3)
        return images, (hash64(3, step * 16 + np.arange(16)) % np.uint64(10)).astype(np.int32)
