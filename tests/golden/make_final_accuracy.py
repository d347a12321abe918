#!/usr/bin/env python3
"""Writes final_accuracy.txt: the accuracy that real TensorFlow's LeNet ends with, for five seeds.

    pip install tensorflow-cpu==2.21.0
    python make_final_accuracy.py --data ../../data/mnist10k --out final_accuracy.txt

The model is lenet of training_models.py (with dropout) under graph seeds 1 to 5: STEPS steps of MomentumOptimizer, batches
in the order of the file (Digits); then the test digits without dropout. One line a seed: SEED, digits of 1,000 that are
right, with TensorFlow's oneDNN kernels, and without.
"""
import argparse
import os
import subprocess
import sys

import numpy as np

STEPS = 352  # five epochs


def train(data, seed):
    import tensorflow as tf

    import training_models as models
    tf1 = tf.compat.v1
    tf1.disable_v2_behavior()
    tf1.set_random_seed(seed)
    m = models.lenet()
    step = tf1.train.MomentumOptimizer(models.LEARNING_RATE, models.MOMENTUM).minimize(m.loss)
    x = images = tf1.placeholder(tf.float32, [None, 28, 28, 1])
    weights = {v.op.name: v for v in tf1.trainable_variables()}
    for name in ('conv1', 'conv2'):
        x = tf.nn.relu(tf1.nn.conv2d(x, weights[name + '/kernel'], [1, 1, 1, 1], 'SAME') + weights[name + '/bias'])
        x = tf1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME')
    x = tf.nn.relu(tf.matmul(tf.reshape(x, [-1, 7 * 7 * 64]), weights['dense1/kernel']) + weights['dense1/bias'])
    logits = tf.matmul(x, weights['dense2/kernel']) + weights['dense2/bias']
    digits = models.Digits(data, [28, 28, 1])
    test = models.read_idx(data + '/t10k-images-idx3-ubyte.gz', 16).reshape(-1, 28, 28, 1)
    labels = models.read_idx(data + '/t10k-labels-idx1-ubyte.gz', 8)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        for i in range(STEPS):
            batch_images, batch_labels = digits.batch(i)
            session.run(step, {m.images: batch_images, m.labels: batch_labels})
        predictions = session.run(logits, {images: test.astype(np.float32) / np.float32(255)}).argmax(1)
    print('correct', int((predictions == labels).sum()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument('--seed', type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.seed:
        train(arguments.data, arguments.seed)
        return
    with open(arguments.out, 'w') as out:
        for seed in range(1, 6):
            correct = []
            for onednn in ('1', '0'):  # the switch is read when TensorFlow is imported
                printed = subprocess.run([sys.executable, __file__, '--data', arguments.data, '--out', '-', '--seed', str(seed)],
                                         env=dict(os.environ, TF_ENABLE_ONEDNN_OPTS=onednn), check=True, text=True,
                                         stdout=subprocess.PIPE).stdout
                correct.append(printed.split('correct')[1].strip())
            print(seed, *correct, file=out, flush=True)


if __name__ == '__main__':
    main()
