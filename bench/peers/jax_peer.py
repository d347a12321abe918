"""JAX's part: whole steps under jit, the old state's memory given away for the new one."""
from functools import partial
from typing import Any, Callable

import jax
import jax.numpy as jnp
import numpy as np

from jax_models import MODELS, loss_of
from serve import CHECKED_STEPS, LEARNING_RATE, MOMENTUM, Arrays, Work, serve

State = Any  # a tree of arrays


def state_work(initial: State, step: Callable[[State], tuple[State, Any]], answer: Callable[[State, list[Any]], Arrays],
               longest: int) -> Work:
    """Repeats `step`, which gives the next state and a result to wait for."""
    state = None

    def restore() -> None:
        nonlocal state
        state = jax.tree.map(jnp.array, initial)

    def one() -> Any:
        nonlocal state
        state, result = step(state)
        return jax.block_until_ready(result)

    def checked() -> Arrays:
        restore()
        results = [one() for _ in range(CHECKED_STEPS)]
        return answer(state, results)

    return Work(restore, one, checked, longest)


def training(row: str) -> Callable[[Arrays, int], Work]:
    model = MODELS[row]

    def make(start: Arrays, threads: int) -> Work:
        parameters = {name: a for name, a in start.items() if not name.startswith('feed.')}
        slots = {name: np.zeros_like(a) for name, a in parameters.items() if '.moving_' not in name}
        images, labels = jnp.array(start['feed.images']), jnp.array(start['feed.labels'])

        @partial(jax.jit, donate_argnums=0)
        def train(state: State, x: jax.Array, y: jax.Array) -> tuple[State, jax.Array]:
            p, momentum = state

            def loss_and_updates(trained: Any) -> tuple[jax.Array, Any]:
                updates: dict[str, jax.Array] = {}
                return loss_of(model(x, {**p, **trained}, updates), y), updates

            trained = {name: p[name] for name in momentum}
            (loss, updates), gradients = jax.value_and_grad(loss_and_updates, has_aux=True)(trained)
            momentum = {name: MOMENTUM * momentum[name] + g for name, g in gradients.items()}
            trained = {name: p[name] - LEARNING_RATE * momentum[name] for name in momentum}
            return ({**p, **updates, **trained}, momentum), loss

        def answer(state: State, losses: list[Any]) -> Arrays:
            return {**{name: np.array(a) for name, a in state[0].items()}, 'loss': np.array(losses, np.float32)}

        return state_work((parameters, slots), lambda state: train(state, images, labels), answer, 100)
    return make


def scale_kernel(start: Arrays, threads: int) -> Work:
    scale = jax.jit(lambda kernel: kernel * 0.9, donate_argnums=0)

    def step(kernel: State) -> tuple[State, Any]:
        kernel = scale(kernel)
        return kernel, kernel
    return state_work(start['kernel'], step, lambda kernel, _: {'kernel': np.array(kernel)}, 500)


def adjust_kernel(start: Arrays, threads: int) -> Work:
    @partial(jax.jit, donate_argnums=0)
    def adjust(state: State) -> State:
        kernel, key = state
        key, now = jax.random.split(key)
        return kernel - jax.random.normal(now, kernel.shape), key

    def step(state: State) -> tuple[State, Any]:
        state = adjust(state)
        return state, state[0]
    return state_work((start['kernel'], jax.random.PRNGKey(1)), step,
                      lambda state, _: {'deviation': np.array(jnp.sqrt(jnp.mean(state[0]**2)))}, 500)


def adam(start: Arrays, threads: int) -> Work:
    gradient = jnp.array(start['gradient'])

    @partial(jax.jit, donate_argnums=0)
    def update(state: State, g: jax.Array) -> State:
        weights, m, v, count = state
        count = count + 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        return weights - rate * m / (jnp.sqrt(v) + 1e-8), m, v, count

    def step(state: State) -> tuple[State, Any]:
        state = update(state, gradient)
        return state, state[0]
    zeros = np.zeros_like(start['weights'])
    return state_work((start['weights'], zeros, zeros, np.float32(0)), step,
                      lambda state, _: {'weights': np.array(state[0])}, 100)


def chain(start: Arrays, threads: int) -> Work:
    x, w = jnp.array(start['feed.x']), jnp.array(start['feed.w'])

    @jax.jit
    def run(x: jax.Array, w: jax.Array) -> jax.Array:
        for i in range(1000):
            x = x * w if i % 2 == 0 else x - w
        return x

    return Work(lambda: None, lambda: np.array(run(x, w)), lambda: {'end': np.array(run(x, w))}, 1000000)


if __name__ == '__main__':
    serve('JAX ' + jax.__version__, {
        'mlp': training('mlp'), 'lenet': training('lenet'), 'resnet18': training('resnet18'), 'adam': adam,
        'scale_kernel': scale_kernel, 'adjust_kernel': adjust_kernel, 'chain': chain})
