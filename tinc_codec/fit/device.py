"""The device that trains: which one it is, and who may use it when."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tinc_codec.config import process
from tinc_codec.errors import ConfigurationError, TrainingError

_forked = False


class _Slots:
    """Counts the chunks in training; others wait for one of them to end."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._condition:
            while self._taken >= process().jobs:
                self._condition.wait(timeout=0.2)
                check_alive()
            self._taken += 1
        try:
            yield
        finally:
            with self._condition:
                self._taken -= 1
                self._condition.notify()


_slots = _Slots()


def _after_fork() -> None:
    global _slots, _forked
    _slots = _Slots()  # threads that held one do not exist here
    _forked = True


os.register_at_fork(after_in_child=_after_fork)


def check_alive() -> None:
    """Raise if the program is ending, as after Ctrl-C in the thread that waits for a writing Zarr."""
    if not threading.main_thread().is_alive():
        raise TrainingError("training was cancelled because the program is ending")


def choose() -> torch.device:
    """The device of the process settings."""
    name = process().device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigurationError(f"device {name!r} cannot be used: {error}; set TINC_DEVICE to one that can") from error


@contextmanager
def training() -> Iterator[torch.device]:
    """Wait for the device and set torch up for training, whatever the caller's context is."""
    with _slots.one():
        device = choose()
        threads = process().threads
        if _forked and threads == 0:
            threads = 1  # OpenMP's threads did not survive the fork, and waiting for them never ends
        before = torch.get_num_threads()
        if threads:
            torch.set_num_threads(threads)
        try:
            with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
                yield device
        finally:
            if threads:
                torch.set_num_threads(before)


