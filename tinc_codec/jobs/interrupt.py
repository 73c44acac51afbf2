"""Ctrl-C, where it may be noticed.

Raised in the middle of one of dask's calls, ``KeyboardInterrupt`` leaves the call half done, and dask prints a
traceback.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Put Ctrl-C off: yields a function that raises ``KeyboardInterrupt`` once it was pressed.

    Pressed again it is raised at once. Only the main thread can, and needs to: others are not interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
