"""TensorFlow compiled by XLA: tf.function(jit_compile=True) on resource variables, eager calls."""
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

from typing import Any, Callable

import numpy as np
import tensorflow as tf

import tensorflow_models as models
from serve import CHECKED_STEPS, LEARNING_RATE, MOMENTUM, Arrays, Work, serve

compiled = tf.function(jit_compile=True)


def set_threads(threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def training(model: Callable[..., Any]) -> Callable[[Arrays, int], Work]:
    def make(start: Arrays, threads: int) -> Work:
        set_threads(threads)
        initial = {name: a for name, a in start.items() if not name.startswith('feed.')}
        variables = {name: tf.Variable(a) for name, a in initial.items()}
        trained = [v for name, v in variables.items() if '.moving_' not in name]
        slots = [tf.Variable(tf.zeros_like(v)) for v in trained]
        images, labels = tf.constant(start['feed.images']), tf.constant(start['feed.labels'])

        @compiled
        def train(x: Any, y: Any) -> Any:
            updates: models.Updates = []
            with tf.GradientTape() as tape:
                loss = models.loss_of(y, model(x, variables.__getitem__, updates))
            for v, slot, gradient in zip(trained, slots, tape.gradient(loss, trained)):
                slot.assign(MOMENTUM * slot + gradient)
                v.assign_sub(LEARNING_RATE * slot)
            for name, value in updates:
                variables[name].assign(value)
            return loss

        def restore() -> None:
            for name, v in variables.items():
                v.assign(initial[name])
            for slot in slots:
                slot.assign(tf.zeros_like(slot))

        def step() -> float:
            return float(train(images, labels))

        def answer() -> Arrays:
            restore()
            losses = [step() for _ in range(CHECKED_STEPS)]
            return {**{name: v.numpy() for name, v in variables.items()}, 'loss': np.array(losses, np.float32)}

        return Work(restore, step, answer, 100)
    return make


def variable_work(name: str, start: Arrays, threads: int, build: Callable[[Any], Callable[[], Any]]) -> Work:
    """Repeats what `build` makes of the variable `name`."""
    set_threads(threads)
    variable = tf.Variable(start[name])
    step = build(variable)

    def answer() -> Arrays:
        work.restore()
        for _ in range(CHECKED_STEPS):
            step()
        return {name: variable.numpy()}

    work = Work(lambda: variable.assign(start[name]), step, answer, 500)
    return work


def scale_kernel(start: Arrays, threads: int) -> Work:
    def scaled(kernel: Any) -> Callable[[], Any]:
        @compiled
        def scale() -> None:
            kernel.assign(kernel * 0.9)
        return scale
    return variable_work('kernel', start, threads, scaled)


def adjust_kernel(start: Arrays, threads: int) -> Work:
    def adjusted(kernel: Any) -> Callable[[], Any]:
        @compiled
        def adjust() -> None:
            kernel.assign_sub(tf.random.normal(kernel.shape))
        return adjust

    tf.random.set_seed(1)
    work = variable_work('kernel', start, threads, adjusted)
    changed = work.answer
    work.answer = lambda: {'deviation': np.sqrt(np.mean(np.square(changed()['kernel']))).astype(np.float32)}
    return work


def adam(start: Arrays, threads: int) -> Work:
    def build(weights: Any) -> Callable[[], Any]:
        gradient, count = tf.constant(start['gradient']), tf.Variable(0.0)
        m, v = (tf.Variable(tf.zeros_like(weights)) for _ in range(2))
        slots.extend((count, m, v))

        @compiled
        def update(g: Any) -> None:
            count.assign_add(1.0)
            m.assign(0.9 * m + 0.1 * g)
            v.assign(0.999 * v + 0.001 * g * g)
            rate = 0.001 * tf.sqrt(1 - tf.pow(0.999, count)) / (1 - tf.pow(0.9, count))
            weights.assign_sub(rate * m / (tf.sqrt(v) + 1e-8))
        return lambda: update(gradient)

    slots: list[Any] = []
    work = variable_work('weights', start, threads, build)
    set_weights = work.restore

    def restore() -> None:
        set_weights()
        for slot in slots:
            slot.assign(tf.zeros_like(slot))

    work.restore = restore
    work.longest = 100
    return work


def chain(start: Arrays, threads: int) -> Work:
    set_threads(threads)
    x, w = tf.constant(start['feed.x']), tf.constant(start['feed.w'])

    @compiled
    def run(x: Any, w: Any) -> Any:
        for i in range(1000):
            x = x * w if i % 2 == 0 else x - w
        return x

    return Work(lambda: None, lambda: run(x, w).numpy(), lambda: {'end': run(x, w).numpy()}, 1000000)


if __name__ == '__main__':
    serve('TensorFlow XLA ' + tf.__version__, {
        'mlp': training(models.mlp), 'lenet': training(models.lenet), 'resnet18': training(models.resnet18),
        'adam': adam, 'scale_kernel': scale_kernel, 'adjust_kernel': adjust_kernel, 'chain': chain})
