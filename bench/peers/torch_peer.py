"""PyTorch's part: eager, in the forms that are its fastest here (channels_last convolutions, fused optimizers).

With --compile the networks are compiled by torch.compile, for the rows of training steps.
"""
import sys
from typing import Callable

import numpy as np
import torch
import torch.nn.functional as F

from serve import CHECKED_STEPS, LEARNING_RATE, MOMENTUM, Arrays, Sizes, Work, serve
from torch_models import MODELS, from_torch, small, to_torch

COMPILE = '--compile' in sys.argv


def training(row: str) -> Callable[[Arrays, int], Work]:
    def make(start: Arrays, threads: int) -> Work:
        torch.set_num_threads(threads)
        parameters = to_torch(start)
        initial = {name: p.clone() for name, p in parameters.items()}
        trained = [p.requires_grad_() for name, p in parameters.items() if '.moving_' not in name]
        optimizer = torch.optim.SGD(trained, LEARNING_RATE, MOMENTUM, fused=True)
        images = torch.from_numpy(start['feed.images'])
        if images.dim() == 4:
            images = images.permute(0, 3, 1, 2)  # channels_last: the same bytes
        labels = torch.from_numpy(start['feed.labels']).long()
        model = torch.compile(MODELS[row]) if COMPILE else MODELS[row]

        def step() -> float:
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(images, parameters), labels)
            loss.backward()
            optimizer.step()
            return loss.item()

        def restore() -> None:
            with torch.no_grad():
                for name, p in parameters.items():
                    p.copy_(initial[name])
            optimizer.state.clear()

        def answer() -> Arrays:
            restore()
            losses = [step() for _ in range(CHECKED_STEPS)]
            return {**from_torch(parameters), 'loss': np.array(losses, np.float32)}

        return Work(restore, step, answer, 100)
    return make


def kernel_work(start: Arrays, threads: int, step: Callable[[torch.Tensor], object]) -> Work:
    torch.set_num_threads(threads)
    initial = torch.from_numpy(start['kernel'])
    kernel = initial.clone()

    def restore() -> None:
        kernel.copy_(initial)

    def answer() -> Arrays:
        restore()
        for _ in range(CHECKED_STEPS):
            step(kernel)
        return {'kernel': kernel.numpy().copy(), 'deviation': kernel.square().mean().sqrt().numpy()}

    return Work(restore, lambda: step(kernel), answer, 500)


def scale_kernel(start: Arrays, threads: int) -> Work:
    work = kernel_work(start, threads, lambda kernel: kernel.mul_(0.9))
    changed = work.answer
    work.answer = lambda: {'kernel': changed()['kernel']}
    return work


def adjust_kernel(start: Arrays, threads: int) -> Work:
    torch.manual_seed(1)
    return kernel_work(start, threads, lambda kernel: kernel.sub_(torch.randn(kernel.shape)))


def adam(start: Arrays, threads: int) -> Work:
    torch.set_num_threads(threads)
    weights = torch.from_numpy(start['weights']).clone().requires_grad_()
    weights.grad = torch.from_numpy(start['gradient'])
    optimizer = torch.optim.Adam([weights], 0.001, fused=True)

    def restore() -> None:
        with torch.no_grad():
            weights.copy_(torch.from_numpy(start['weights']))
        for state in optimizer.state.values():
            for value in state.values():
                value.zero_()

    def answer() -> Arrays:
        restore()
        for _ in range(CHECKED_STEPS):
            optimizer.step()
        return {'weights': weights.detach().numpy()}

    return Work(restore, optimizer.step, answer, 100)


def chain(start: Arrays, threads: int) -> Work:
    torch.set_num_threads(threads)
    x, w = torch.from_numpy(start['feed.x']), torch.from_numpy(start['feed.w'])

    def run() -> torch.Tensor:
        end = x
        for _ in range(500):
            end = end * w - w
        return end
    return Work(lambda: None, run, lambda: {'end': run().numpy()}, 1000000)


def sizes(start: Arrays, threads: int) -> Work:
    torch.set_num_threads(threads)
    parameters = to_torch(start)

    @torch.inference_mode()
    def forward(images: np.ndarray) -> np.ndarray:
        return small(torch.from_numpy(images).permute(0, 3, 1, 2), parameters).numpy()
    return Sizes(start, forward)


if __name__ == '__main__':
    makers = {'mlp': training('mlp'), 'lenet': training('lenet'), 'resnet18': training('resnet18')}
    if not COMPILE:
        makers |= {'adam': adam, 'scale_kernel': scale_kernel, 'adjust_kernel': adjust_kernel, 'chain': chain,
                   'sizes': sizes}
    serve(('torch.compile ' if COMPILE else 'PyTorch ') + torch.__version__, makers)
