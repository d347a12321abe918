"""What is measured, against whom, and what is to be reached."""
from dataclasses import dataclass

MAIN_PEERS = ('tensorflow', 'torch')
OTHER_PEERS = ('tensorflow_xla', 'torch_compile', 'jax')  # printed beside them, never the bar
INLINE = ('tensorflow_inline',)  # TensorFlow's quickest way with small ops, printed beside its usual one
DETERMINISTIC = ('varflow_deterministic',)


@dataclass(frozen=True)
class Row:
    """Time of a peer over Varflow's."""
    name: str
    title: str
    bar: tuple[str, ...]  # the peers that decide
    tolerance: float  # of answers: see compare() in worker/comparison.h
    at_least: float = 0  # what the ratio to each of them is to reach, by the lower end of its interval
    at_most: float = 0  # ... or is not to exceed, by the upper end
    beside: tuple[str, ...] = ()
    steps: int = 0  # of all pairs together, each of them other work; 0: as many as make a steady time
    work: str = ''  # the work's name in the programs (worker/work.cpp, peers/); by default the row's
    peer_work: str = ''  # ... where it is another one for the peers
    own_numbers: tuple[str, ...] = ()  # peers with random numbers of their own, of which only the deviation is compared


@dataclass(frozen=True)
class Limit:
    """A figure of Varflow's own, that is to stay below a limit by the upper end of its interval."""
    name: str
    title: str
    unit: str  # of the figure and the limit: 's' or 'B'
    at_most: float
    figure: str  # how it is measured: a function of limits.py
    nodes: int = 0


TRAINING = ', one training step with momentum'
KERNEL = ' on a kernel of 3x3x3x64, '
WITHOUT_MODEL = ('tensorflow_xla', 'jax')  # torch.compile compiles models
SMALL = INLINE + ('torch',) + WITHOUT_MODEL

ROWS: tuple[Row | Limit, ...] = (
    Row('mlp', 'MLP 784-512-512-10, batch 128' + TRAINING, MAIN_PEERS, 1e-3, 1.4, beside=OTHER_PEERS),
    Row('lenet', 'LeNet, batch 128' + TRAINING, MAIN_PEERS, 1e-3, 1.05, beside=OTHER_PEERS),
    # TensorFlow and PyTorch differ by 2e-2 from each other after two steps.
    Row('resnet18', 'ResNet-18 (CIFAR stem), batch 16 at 32x32' + TRAINING, MAIN_PEERS, 5e-2, 1.05, beside=OTHER_PEERS),
    Row('adam', 'Adam over 25M parameters', MAIN_PEERS, 1e-4, 1.1, beside=WITHOUT_MODEL),
    Row('scale_kernel', '*= 0.9' + KERNEL + 'Session.run', ('tensorflow',), 1e-6, 40, beside=SMALL),
    Row('scale_kernel_prepared', '*= 0.9' + KERNEL + 'make_callable', ('tensorflow',), 1e-6, 20, beside=INLINE),
    Row('adjust_kernel', '-= random_normal' + KERNEL + 'Session.run', ('tensorflow',), 1e-6, 10, beside=SMALL,
        own_numbers=('torch',) + WITHOUT_MODEL),
    Row('chain', 'a chain of 1,000 ops on 16 floats, Session.run', ('tensorflow',), 1e-5, 3, beside=SMALL),
    Row('sizes', '1,000 sizes of images through a small convolutional network, each once', ('tensorflow',), 1e-4,
        round(1 / 1.2, 2), beside=('torch',), steps=1000),
    Row('deterministic', 'LeNet again, Varflow with `deterministic` against Varflow without', DETERMINISTIC, 1e-3,
        at_most=1.5, work='lenet', peer_work='lenet_deterministic'),
    Limit('start', 'start of the command: varflow --help', 's', 0.03, 'start'),
    Limit('memory', 'memory of a process whose session scales a kernel of 3x3x3x64', 'B', 40e6, 'memory'),
    Limit('plan_1000', 'making a plan of 1,000 nodes, for a node', 's', 10e-6, 'plan', 1000),
    Limit('plan_10000', 'making a plan of 10,000 nodes, for a node', 's', 10e-6, 'plan', 10000),
    Limit('plan_100000', 'making a plan of 100,000 nodes, for a node', 's', 10e-6, 'plan', 100000),
)
DEVIATION_TOLERANCE = 0.1
