"""One pool of threads for the whole process, so that many chunks at once do not take more threads than one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Semaphore, local
from typing import TypeVar

import numpy as np

from tinc_codec.runtime import cores, process

T = TypeVar("T")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="tinc")


@cache
def turn() -> Semaphore:
    """To be held while a whole chunk is decoded: few at a time, each with all cores.

    More at once wait for the interpreter's lock and for each other's memory, and gain nothing.
    """
    return Semaphore(max(1, cores() // 2))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
    os.register_at_fork(after_in_child=turn.cache_clear)


_here = local()
"""Whether this thread does a share of some work already: what that calls is not divided again."""


def spread(work: Callable[[T], object], items: Sequence[T], costs: Sequence[float] = (), worth: float = 1) -> None:
    """Call `work` with each item, in several threads where each gets at least a cost of `worth`.

    Items without `costs` cost 1 each. The calling thread takes its share; `work` must let go of the interpreter's lock
    to gain.
    """
    ends = np.cumsum(costs or [1] * len(items))
    total = float(ends[-1]) if len(items) else 0.0
    threads = min(process().threads or cores(), len(items), int(total // worth))
    if threads < 2 or getattr(_here, "busy", False):
        for item in items:
            work(item)
        return
    inner = np.searchsorted(ends, [total * part / threads for part in range(1, threads)]).tolist()
    shares = [items[begin:end] for begin, end in itertools.pairwise([0, *inner, len(items)])]
    others = [_pool().submit(_do, work, share) for share in shares[1:]]
    try:
        _do(work, shares[0])
    finally:
        wait(others)
    for other in others:
        other.result()


def _do(work: Callable[[T], object], items: Iterable[T]) -> None:
    _here.busy = True
    try:
        for item in items:
            work(item)
    finally:
        _here.busy = False
