"""Progress of the chunks in training, for whoever shows it: a host such as Zarr has no way to pass it on."""

from __future__ import annotations

import itertools
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


def reporter(raw_bytes: int) -> Callable[[float], None]:
    """What one chunk's training calls with the fraction done; stops it when the program is ending."""
    number = next(_numbers)

    def report(fraction: float) -> None:
        check_alive()
        for observer in tuple(_observers):
            observer(number, raw_bytes, fraction)

    return report


def check_alive() -> None:
    """Raise if the program is ending, as after Ctrl-C in the thread that waits for a writing Zarr."""
    if not threading.main_thread().is_alive():
        raise TrainingCancelledError("training was cancelled because the program is ending")
