"""One pool of threads for the whole process, so that many chunks at once do not take more threads than one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from tinc_codec.runtime import cores, process


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="tinc")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork


def side_by_side(work: Callable[[int, int], None], total: int, least: int) -> None:
    """Call ``work(begin, end)`` on parts of ``range(total)``, in several threads if they get `least` each.

    The calling thread takes its share; `work` must let go of the interpreter's lock to gain, and must not call this.
    """
    threads = min(process().threads or cores(), max(1, total // max(1, least)))
    borders = [total * part // threads for part in range(threads + 1)]
    others = [_pool().submit(work, *ends) for ends in itertools.pairwise(borders[1:])]
    work(borders[0], borders[1])
    for other in others:
        other.result()


def each(work: Callable[[int], object], numbers: Sequence[int]) -> None:
    """Call `work` with each number, side by side."""

    def part(begin: int, end: int) -> None:
        for number in numbers[begin:end]:
            work(number)

    side_by_side(part, len(numbers), 1)
