"""The interval of a median that makes no assumption about how values are distributed."""
from math import comb
from statistics import median

LEAST_VALUES = 6  # with fewer there is no interval of 95 %


def rank(count: int) -> int:
    """The largest k for which at least 95 % of all samples have the true median between the k-th smallest and the
    k-th largest value: the number of values below it is binomial with probability 1/2 (the interval of the sign
    test). With 30 values k is 10, and the probability 95.7 %."""
    k, below = 0, 0
    while 2 * (below + comb(count, k)) <= 0.05 * 2**count:
        below += comb(count, k)
        k += 1
    return k


def median_interval(values: list[float]) -> tuple[float, float, float]:
    """Median, and the lower and the upper end of its interval of 95 %."""
    if len(values) < LEAST_VALUES:
        raise ValueError('an interval of 95 %% takes at least %d values' % LEAST_VALUES)
    ordered = sorted(values)
    k = rank(len(ordered))
    return median(ordered), ordered[k - 1], ordered[-k]
