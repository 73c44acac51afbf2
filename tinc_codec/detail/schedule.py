"""Work over pieces: each as soon as those that it needs are done, several side by side."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from threading import Condition
from typing import Generic, TypeVar

from tinc_codec.detail.layout import Layout
from tinc_codec.runtime.settings import cores
from tinc_codec.runtime.threads import share

T = TypeVar("T")
_WORTH = 2**15
"""Coefficients that are worth a thread."""


def over(layout: Layout, pieces: Sequence[int], parallel: bool, work: Callable[[int], T]) -> list[T]:
    """What `work` gives for each piece.

    Parameters
    ----------
    pieces
        Numbers of pieces, ascending.
    parallel
        Whether several threads do those that do not need each other; see `tinc_codec.detail.work.Walker`.
    """
    size = sum(layout.pieces[number].size for number in pieces)
    if not parallel or size < 2 * _WORTH or len(pieces) == 1:  # a piece alone has its own work shared
        return [work(number) for number in pieces]
    waiting = _Waiting(Condition(), layout, pieces, work)  # its lock ends with this call
    share(lambda begin, end: waiting.run(), [size / cores()] * cores(), _WORTH)
    return [waiting.results[number] for number in pieces]


class _Waiting(Generic[T]):
    """Pieces that are still to be done, for any number of threads."""

    def __init__(self, changed: Condition, layout: Layout, pieces: Sequence[int], work: Callable[[int], T]) -> None:
        asked = set(pieces)
        self.results: dict[int, T] = {}
        self._work, self._changed, self._failed = work, changed, False
        self._missing: dict[int, int] = {}
        self._after: dict[int, list[int]] = {number: [] for number in pieces}
        for number in pieces:
            needed = asked.intersection(layout.pieces[number].needs)
            self._missing[number] = len(needed)
            for other in needed:
                self._after[other].append(number)
        self._ready = [number for number in pieces if not self._missing[number]]  # ascending, thus a heap

    def run(self) -> None:
        """Do what is ready, until nothing is left."""
        try:
            number = self._next(None)
            while number is not None:
                self.results[number] = self._work(number)
                number = self._next(number)
        except BaseException:
            with self._changed:
                self._failed = True
                self._changed.notify_all()
            raise

    def _next(self, done: int | None) -> int | None:
        """The next piece, now that one is done; None: all are taken, or one has failed."""
        with self._changed:
            if done is not None:
                self._release(done)
            while not self._ready and self._missing and not self._failed:
                self._changed.wait()
            return None if self._failed or not self._ready else self._take()

    def _take(self) -> int:
        number = heapq.heappop(self._ready)
        del self._missing[number]
        if not self._missing:
            self._changed.notify_all()  # nothing is left for those that wait
        return number

    def _release(self, done: int) -> None:
        before = len(self._ready)
        for number in self._after[done]:
            self._missing[number] -= 1
            if not self._missing[number]:
                heapq.heappush(self._ready, number)
        if len(self._ready) > before + 1:
            self._changed.notify(len(self._ready) - before - 1)  # one is taken by this thread itself
