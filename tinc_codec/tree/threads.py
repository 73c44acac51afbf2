"""One pool of threads for the whole process, so that many chunks at once do not take more threads than one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Semaphore, local

import numpy as np

from tinc_codec.runtime import cores, process


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="tinc")


@cache
def turn() -> Semaphore:
    """To be held while a whole chunk is decoded.

    A thread that decodes lets go of the interpreter's lock and wants it back many times a millisecond; where others
    compute in Python meanwhile, it waits up to 5 ms each time. So few chunks take turns, each with all cores.
    """
    return Semaphore(max(1, cores() // 2))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
    os.register_at_fork(after_in_child=turn.cache_clear)


_here = local()
"""Whether this thread does a share of some work already: what that calls is not divided again."""


def spread(work: Callable[[int], object], costs: Sequence[float], worth: float) -> None:
    """Call `work` with 0, 1, 2, ..., in several threads where each gets at least a cost of `worth`.

    The calling thread takes its share; `work` must let go of the interpreter's lock to gain.
    """
    total = float(sum(costs))
    threads = min(process().threads or cores(), len(costs), max(1, int(total // worth)))
    if threads == 1 or getattr(_here, "busy", False):
        for number in range(len(costs)):
            work(number)
        return
    ends = np.cumsum(costs)
    borders = [0, *np.searchsorted(ends, [total * part / threads for part in range(1, threads)]).tolist(), len(costs)]
    others = [_pool().submit(_do, work, range(*share)) for share in itertools.pairwise(borders[1:])]
    try:
        _do(work, range(borders[1]))
    finally:
        wait(others)
    for other in others:
        other.result()


def _do(work: Callable[[int], object], numbers: Iterable[int]) -> None:
    before, _here.busy = getattr(_here, "busy", False), True
    try:
        for number in numbers:
            work(number)
    finally:
        _here.busy = before
