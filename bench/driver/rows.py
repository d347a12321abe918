"""What is measured, against whom, and what is to be reached."""
from dataclasses import dataclass

MAIN_PEERS = ('tensorflow', 'torch')
OTHER_PEERS = ('tensorflow_xla', 'torch_compile', 'jax')  # printed beside them, never the bar
INLINE = ('tensorflow_inline',)  # TensorFlow's quickest way with small ops, printed beside its usual one


@dataclass(frozen=True)
class Row:
    """Time of a peer over Varflow's. `name` is also the work's name in the programs (worker/work.cpp, peers/)."""
    name: str
    title: str
    bar: tuple[str, ...]  # the peers to be faster than
    at_least: float  # what the ratio to the fastest of them is to reach, by the lower end of its interval
    tolerance: float  # of answers: see compare() in worker/comparison.h
    beside: tuple[str, ...] = ()
    steps: int = 0  # of all pairs together, each of them other work; 0: as many as make a steady time
    own_numbers: tuple[str, ...] = ()  # peers with random numbers of their own, of which only the deviation is compared


TRAINING = ', one training step with momentum'
ROWS = (
    Row('mlp', 'MLP 784-512-512-10, batch 128' + TRAINING, MAIN_PEERS, 1.4, 1e-3, OTHER_PEERS),
    Row('lenet', 'LeNet, batch 128' + TRAINING, MAIN_PEERS, 1.05, 1e-3, OTHER_PEERS),
    # TensorFlow and PyTorch differ by 2e-2 from each other after two steps.
    Row('resnet18', 'ResNet-18 (CIFAR stem), batch 16 at 32x32' + TRAINING, MAIN_PEERS, 1.05, 5e-2, OTHER_PEERS),
    Row('adam', 'Adam over 25M parameters', MAIN_PEERS, 1.1, 1e-4, OTHER_PEERS),
    Row('scale_kernel', 'kernel *= 0.9 on 3x3x3x64, Session.run', ('tensorflow',), 40, 1e-6,
        INLINE + ('torch',) + OTHER_PEERS),
    Row('scale_kernel_prepared', 'kernel *= 0.9 on 3x3x3x64, make_callable', ('tensorflow',), 20, 1e-6, INLINE),
    Row('adjust_kernel', 'kernel -= random_normal on 3x3x3x64, Session.run', ('tensorflow',), 10, 1e-6,
        INLINE + ('torch',) + OTHER_PEERS, own_numbers=('torch',) + OTHER_PEERS),
    Row('chain', 'a chain of 1,000 ops on 16 floats, Session.run', ('tensorflow',), 3, 1e-5,
        INLINE + ('torch',) + OTHER_PEERS),
)
DEVIATION_TOLERANCE = 0.1
