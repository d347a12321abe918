"""The networks in TensorFlow, for graphs (tf.compat.v1) and for functions: `get` gives a variable or an array by name."""
from typing import Any, Callable

import tensorflow as tf

from serve import BATCH_NORM_EPSILON, MOVING_AVERAGE_DECAY

Get = Callable[[str], Any]
Updates = list[tuple[str, Any]]  # name of a moving average, its new value


def dense(x: Any, get: Get, name: str) -> Any:
    return tf.nn.bias_add(tf.matmul(x, get(name + '.kernel')), get(name + '.bias'))


def mlp(images: Any, get: Get, updates: Updates) -> Any:
    x = tf.nn.relu(dense(images, get, 'dense1'))
    return dense(tf.nn.relu(dense(x, get, 'dense2')), get, 'dense3')


def lenet(images: Any, get: Get, updates: Updates) -> Any:
    x = images
    for name in ('conv1', 'conv2'):
        x = tf.nn.conv2d(x, get(name + '.kernel'), 1, 'SAME')
        x = tf.nn.max_pool2d(tf.nn.relu(tf.nn.bias_add(x, get(name + '.bias'))), 2, 2, 'SAME')
    x = tf.nn.relu(dense(tf.reshape(x, [-1, 7 * 7 * 64]), get, 'dense1'))
    return dense(x, get, 'dense2')


def resnet18(images: Any, get: Get, updates: Updates) -> Any:
    def normalized(x: Any, name: str, stride: int) -> Any:
        x = tf.nn.conv2d(x, get(name + '.kernel'), stride, 'SAME')
        x, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            x, get(name + '.gamma'), get(name + '.beta'), epsilon=BATCH_NORM_EPSILON, is_training=True)
        for moving, now in ((name + '.moving_mean', mean), (name + '.moving_variance', variance)):
            updates.append((moving, get(moving) * MOVING_AVERAGE_DECAY + now * (1 - MOVING_AVERAGE_DECAY)))
        return x

    x = tf.nn.relu(normalized(images, 'stem', 1))
    for stage in range(1, 5):
        for block in range(1, 3):
            name = 'stage%d.block%d.' % (stage, block)
            stride = 2 if stage > 1 and block == 1 else 1
            shortcut = normalized(x, name + 'projection', stride) if stride == 2 else x
            y = tf.nn.relu(normalized(x, name + 'conv1', stride))
            x = tf.nn.relu(normalized(y, name + 'conv2', 1) + shortcut)
    return dense(tf.reduce_mean(x, [1, 2]), get, 'dense')


def small(images: Any, get: Get) -> Any:
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(images, get('conv1.kernel'), 1, 'SAME'), get('conv1.bias')))
    x = tf.nn.max_pool2d(x, 2, 2, 'SAME')
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, get('conv2.kernel'), 1, 'SAME'), get('conv2.bias')))
    return dense(tf.reduce_mean(x, [1, 2]), get, 'dense')


def loss_of(labels: Any, logits: Any) -> Any:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
