"""The networks in JAX, as functions of images in NHWC and arrays by name; with the new moving averages of ResNet-18."""
from typing import Any, Callable

import jax
import jax.numpy as jnp
from jax import lax

from serve import BATCH_NORM_EPSILON, MOVING_AVERAGE_DECAY

Parameters = dict[str, jax.Array]
Updates = dict[str, jax.Array]


def dense(x: jax.Array, p: Parameters, name: str) -> jax.Array:
    return x @ p[name + '.kernel'] + p[name + '.bias']


def convolution(x: jax.Array, kernel: jax.Array, stride: int = 1) -> jax.Array:
    return lax.conv_general_dilated(x, kernel, (stride, stride), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def mlp(images: jax.Array, p: Parameters, updates: Updates) -> jax.Array:
    x = jax.nn.relu(dense(images, p, 'dense1'))
    return dense(jax.nn.relu(dense(x, p, 'dense2')), p, 'dense3')


def lenet(images: jax.Array, p: Parameters, updates: Updates) -> jax.Array:
    x = images
    for name in ('conv1', 'conv2'):
        x = jax.nn.relu(convolution(x, p[name + '.kernel']) + p[name + '.bias'])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'SAME')
    x = jax.nn.relu(dense(x.reshape(x.shape[0], -1), p, 'dense1'))
    return dense(x, p, 'dense2')


def resnet18(images: jax.Array, p: Parameters, updates: Updates) -> jax.Array:
    def normalized(x: jax.Array, name: str, stride: int) -> jax.Array:
        x = convolution(x, p[name + '.kernel'], stride)
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        n = x.size // x.shape[3]
        for part, now in (('.moving_mean', mean), ('.moving_variance', variance * (n / (n - 1)))):
            updates[name + part] = p[name + part] * MOVING_AVERAGE_DECAY + now * (1 - MOVING_AVERAGE_DECAY)
        scale = p[name + '.gamma'] * lax.rsqrt(variance + BATCH_NORM_EPSILON)
        return (x - mean) * scale + p[name + '.beta']

    x = jax.nn.relu(normalized(images, 'stem', 1))
    for stage in range(1, 5):
        for block in range(1, 3):
            name = 'stage%d.block%d.' % (stage, block)
            stride = 2 if stage > 1 and block == 1 else 1
            shortcut = normalized(x, name + 'projection', stride) if stride == 2 else x
            y = jax.nn.relu(normalized(x, name + 'conv1', stride))
            x = jax.nn.relu(normalized(y, name + 'conv2', 1) + shortcut)
    return dense(x.mean((1, 2)), p, 'dense')


def loss_of(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


MODELS: dict[str, Callable[[jax.Array, Parameters, Updates], Any]] = {'mlp': mlp, 'lenet': lenet, 'resnet18': resnet18}
