"""Progress of the chunks in training, for whoever shows it: a host such as Zarr has no way to pass it on."""

from __future__ import annotations

import copy
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tinc_codec.errors import TrainingCancelledError

Observer = Callable[[int, int, float], None]
"""Called with a chunk's number, its raw bytes and the fraction of its training that is done; from any thread."""

_observers: list[Observer] = []
_numbers = itertools.count()


@contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Let `observer` know of all training in this process while the context lasts.

    What it raises stops the training that it was told of.
    """
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


class TrainingProgress:
    """What one chunk's training tells: how far it is, to the observers, and whether the user wants it to stop.

    Zarr encodes chunks in threads of its own, and Ctrl-C reaches only the main thread, which waits for them. A script
    then ends, and its interpreter waits for the threads; an interactive session stores the exception instead.

    Parameters
    ----------
    raw_bytes
        Size of the chunk.
    """

    def __init__(self, raw_bytes: int) -> None:
        self._number = next(_numbers)
        self._raw_bytes = raw_bytes
        self._before = getattr(sys, "last_value", None)
        self._from, self._to = 0.0, 1.0
        self.check()

    def part(self, start: float, end: float) -> TrainingProgress:
        """The same chunk's report for a stage that is this part of all the work."""
        part = copy.copy(self)
        part._from, part._to = start, end
        return part

    def __call__(self, fraction: float) -> None:
        """Say how much of the training is done; raises as `check` does, and what an observer raises."""
        self.check()
        done = self._from + (self._to - self._from) * fraction
        for observer in tuple(_observers):
            observer(self._number, self._raw_bytes, done)

    def check(self) -> None:
        """Raise `TrainingCancelledError` once Ctrl-C has been pressed, whichever thread noticed it."""
        last = getattr(sys, "last_value", None)
        if is_ending() or (isinstance(last, KeyboardInterrupt) and last is not self._before):
            raise TrainingCancelledError("training was stopped by the user, and this chunk was not written")


def is_ending() -> bool:
    """Whether the main thread has left the program and waits for the others.

    The frames of the main thread would say so, too, but Python 3.11 may collect garbage in `sys._current_frames` while
    it holds the interpreter's lock of all threads: what listens to collections, as dask's workers do, may then wait for
    a thread that waits for this lock, for ever.
    """
    return getattr(threading, "_SHUTTING_DOWN", False) or not threading.main_thread().is_alive()
