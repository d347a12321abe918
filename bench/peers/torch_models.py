"""The networks in PyTorch, as functions of images [batch, channels, height, width] and parameters by name."""
from typing import Callable

import torch
import torch.nn.functional as F

from serve import BATCH_NORM_EPSILON, MOVING_AVERAGE_DECAY, Arrays

Parameters = dict[str, torch.Tensor]


def to_torch(start: Arrays) -> Parameters:
    """Kernels of convolutions as OIHW in channels_last, of dense layers as [out, in]."""
    parameters = {}
    for name, array in start.items():
        if name.startswith('feed.'):
            continue
        t = torch.from_numpy(array).clone()
        if t.dim() == 4:
            t = t.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        elif t.dim() == 2:
            t = t.t().contiguous()
        parameters[name] = t
    return parameters


def from_torch(parameters: Parameters) -> Arrays:
    arrays = {}
    for name, t in parameters.items():
        t = t.detach()
        arrays[name] = (t.permute(2, 3, 1, 0) if t.dim() == 4 else t.t() if t.dim() == 2 else t).contiguous().numpy()
    return arrays


def dense(x: torch.Tensor, p: Parameters, name: str) -> torch.Tensor:
    return F.linear(x, p[name + '.kernel'], p[name + '.bias'])


def mlp(images: torch.Tensor, p: Parameters) -> torch.Tensor:
    x = F.relu(dense(images, p, 'dense1'))
    return dense(F.relu(dense(x, p, 'dense2')), p, 'dense3')


def lenet(images: torch.Tensor, p: Parameters) -> torch.Tensor:
    x = images
    for name in ('conv1', 'conv2'):
        x = F.max_pool2d(F.relu(F.conv2d(x, p[name + '.kernel'], p[name + '.bias'], padding=2)), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)  # the kernel's rows are in the order height, width, channel
    return dense(F.relu(dense(x, p, 'dense1')), p, 'dense2')


def resnet18(images: torch.Tensor, p: Parameters) -> torch.Tensor:
    def normalized(x: torch.Tensor, name: str, size: int, stride: int) -> torch.Tensor:
        padding = size // 2
        if stride == 2 and size == 3:  # padding SAME, which is one-sided here
            x, padding = F.pad(x, (0, 1, 0, 1)), 0
        x = F.conv2d(x, p[name + '.kernel'], None, stride, padding)
        return F.batch_norm(x, p[name + '.moving_mean'], p[name + '.moving_variance'], p[name + '.gamma'],
                            p[name + '.beta'], True, 1 - MOVING_AVERAGE_DECAY, BATCH_NORM_EPSILON)

    x = F.relu(normalized(images, 'stem', 3, 1))
    for stage in range(1, 5):
        for block in range(1, 3):
            name = 'stage%d.block%d.' % (stage, block)
            stride = 2 if stage > 1 and block == 1 else 1
            shortcut = normalized(x, name + 'projection', 1, stride) if stride == 2 else x
            y = F.relu(normalized(x, name + 'conv1', 3, stride))
            x = F.relu(normalized(y, name + 'conv2', 3, 1) + shortcut)
    return dense(x.mean((2, 3)), p, 'dense')


def small(images: torch.Tensor, p: Parameters) -> torch.Tensor:
    x = F.relu(F.conv2d(images, p['conv1.kernel'], p['conv1.bias'], padding=1))
    x = F.max_pool2d(x, 2, ceil_mode=True)
    x = F.relu(F.conv2d(x, p['conv2.kernel'], p['conv2.bias'], padding=1))
    return dense(x.mean((2, 3)), p, 'dense')


MODELS: dict[str, Callable[[torch.Tensor, Parameters], torch.Tensor]] = {
    'mlp': mlp, 'lenet': lenet, 'resnet18': resnet18}
