"""What every peer's program is made of: the commands of bench/README.md on stdin, and steps that are repeated."""
import os
import sys
import time
import traceback
from typing import Callable

import numpy as np

Arrays = dict[str, np.ndarray]  # by file name without .npy: "dense1.kernel", "feed.images"
CHECKED_STEPS = 2  # from the start; what they give is compared
SETTLE = 2  # steps after each restore that are not timed
LEARNING_RATE = 0.01
MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-3
MOVING_AVERAGE_DECAY = 0.9


class Work:
    """One step that is repeated, going back to the start after `longest` steps, as bench/worker/work.h says."""

    def __init__(self, restore: Callable[[], None], step: Callable[[], object], answer: Callable[[], Arrays],
                 longest: int) -> None:
        self.restore, self.step, self.answer, self.longest = restore, step, answer, longest

    def measure(self, warm: int, steps: int) -> float:
        self.repeat(warm)
        return self.repeat(steps)

    def repeat(self, steps: int) -> float:
        seconds = 0.0
        step = self.step
        while steps > 0:
            self.restore()
            for _ in range(SETTLE):
                step()
            now = min(steps, self.longest)
            begin = time.perf_counter()
            for _ in range(now):
                step()
            seconds += time.perf_counter() - begin
            steps -= now
        return seconds


class Sizes(Work):
    """Each step takes the next of the sizes [batch, height, width] of bench/worker/sizes_work.cpp; `forward` gives the
    logits of images in NHWC."""

    def __init__(self, start: Arrays, forward: Callable[[np.ndarray], np.ndarray]) -> None:
        self.images = [start['feed.pixels'][:3 * b * h * w].reshape(b, h, w, 3) for b, h, w in start['feed.sizes']]
        self.forward = forward
        self.next = 1

    def measure(self, warm: int, steps: int) -> float:
        images = self.images[self.next:self.next + steps]
        self.next += steps
        for _ in range(warm + SETTLE):
            self.forward(self.images[0])
        begin = time.perf_counter()
        for batch in images:
            self.forward(batch)
        return time.perf_counter() - begin

    def answer(self) -> Arrays:
        return {'logits%d' % i: self.forward(batch) for i, batch in enumerate(self.images[-3:])}


def read_arrays(folder: str) -> Arrays:
    return {name[:-4]: np.load(os.path.join(folder, name)) for name in os.listdir(folder) if name.endswith('.npy')}


def write_arrays(folder: str, arrays: Arrays) -> None:
    os.makedirs(folder, exist_ok=True)
    for name, array in arrays.items():
        np.save(os.path.join(folder, name + '.npy'), array)


def serve(version: str, makers: dict[str, Callable[[Arrays, int], Work]]) -> None:
    """`makers`: for each row, what makes its work from the arrays that all start from and the number of threads."""
    replies = os.fdopen(os.dup(1), 'w', buffering=1)
    os.dup2(2, 1)  # what libraries print is no reply
    work = None
    for line in sys.stdin:
        command, *words = line.split()
        try:
            if command == 'prepare':
                row, folder, threads = words
                if row not in makers:
                    raise NotImplementedError('no row ' + row)
                work = makers[row](read_arrays(folder), int(threads))
                reply = 'ready ' + version
            elif command == 'answer':
                write_arrays(words[0], work.answer())
                reply = 'ready'
            elif command == 'measure':
                reply = '%.9g' % work.measure(int(words[0]), int(words[1]))
            else:
                reply = 'error no command ' + command
        except Exception as error:  # the driver says what failed and goes on with other rows
            traceback.print_exc()
            reply = 'error %s: %s' % (type(error).__name__, ' '.join(str(error).split())[:300])
        print(reply, file=replies, flush=True)
