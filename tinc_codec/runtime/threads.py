"""The process's threads that share the work on a chunk; they do not grow in number with the chunks."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import Semaphore, local
from typing import TypeVar

import numpy as np

from tinc_codec.runtime.settings import cores, process

T = TypeVar("T")


_GROUPS = 64
"""Groups of items that cost as much each, at most, which threads share."""


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


def spread(work: Callable[[T], object], items: Sequence[T], costs: Sequence[float] = ()) -> None:
    """Call `work` with each item, in several threads; items without `costs` cost 1 each."""

    def each(begin: int, end: int) -> None:
        for item in items[begin:end]:
            work(item)

    share(each, costs or [1] * len(items))


def share(work: Callable[[int, int], object], costs: Sequence[float], worth: float = 1) -> None:
    """Call `work` with ranges of the items that have these costs, in several threads where each gets at least `worth`.

    The calling thread takes its share; `work` must let go of the interpreter's lock to gain.
    """
    threads = min(len(costs), int(sum(costs) // worth))
    if threads > 1:
        threads = min(threads, process().threads or cores())
    if threads < 2 or getattr(_here, "busy", False):
        work(0, len(costs))
        return
    ends = np.cumsum(costs)
    total, middles = float(ends[-1]), ends - np.divide(costs, 2)
    inner = np.searchsorted(middles, [total * part / threads for part in range(1, threads)]).tolist()
    ranges = list(itertools.pairwise([0, *inner, len(costs)]))
    others = [_begin(work, begin, end) for begin, end in ranges[1:]]
    try:
        _do(work, *ranges[0])
        for (begin, end), other in zip(ranges[1:], others, strict=True):
            if other is None:
                _do(work, begin, end)
    finally:
        wait([other for other in others if other is not None])
    for other in others:
        if other is not None:
            other.result()


def evenly(work: Callable[[int, int], object], count: int, cost: float, worth: float = 1) -> None:
    """Call `work` with ranges of `count` items that cost as much each, see `share`; however many, none is looked at."""
    groups = min(count, _GROUPS)

    def some(begin: int, end: int) -> None:
        work(begin * count // max(groups, 1), end * count // max(groups, 1))

    share(some, [cost * count / max(groups, 1)] * groups, worth)


@contextmanager
def ahead(work: Callable[[], object]) -> Iterator[None]:
    """Have `work` done by another thread while the body runs, or before it where there is none; its error comes out.

    `work` must let go of the interpreter's lock to gain.
    """
    if (process().threads or cores()) < 2 or getattr(_here, "busy", False):
        work()
        yield
        return
    other = _begin(lambda begin, end: work(), 0, 1)
    if other is None:
        work()
    try:
        yield
    finally:
        if other is not None:
            wait([other])
    if other is not None:
        other.result()


def _begin(work: Callable[[int, int], object], begin: int, end: int) -> Future[None] | None:
    """Have a share done by another thread; None: there is none, for lack of memory or since the interpreter ends."""
    try:
        return _pool().submit(_do, work, begin, end)
    except RuntimeError:
        return None


def _do(work: Callable[[int, int], object], begin: int, end: int) -> None:
    _here.busy = True
    try:
        work(begin, end)
    finally:
        _here.busy = False
