"""The device that trains: which one it is, and who may use it when."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tinc_codec.errors import ConfigurationError
from tinc_codec.runtime.settings import cores, process

VOXELS_PER_THREAD = 2**14
"""Voxels of a training step that keep one CPU thread busy: two take 5.4 ms for 8.4 ms of one over windows of 2^15, and
gain little over fewer, or where networks fit samples."""


class _Queue:
    """Lets chunks train at the same time as long as their threads have cores; others wait."""

    def __init__(self) -> None:
        self.reset(forked=False)

    def reset(self, forked: bool) -> None:
        """Forget who was training: after a fork those threads do not exist."""
        self._condition = threading.Condition()
        self._threads = self._jobs = 0
        self._forked = forked

    def threads(self, voxels: int, on_cpu: bool) -> int:
        """CPU threads for a chunk whose training steps have `voxels` voxels."""
        if self._forked or not on_cpu:
            return 1  # OpenMP's threads do not survive a fork, and waiting for them never ends
        return max(1, min(process().threads or cores(), voxels // VOXELS_PER_THREAD))

    @contextmanager
    def place(self, threads: int, on_cpu: bool, waiting: Callable[[], None]) -> Iterator[None]:
        """Wait until there is room for a chunk on `threads` cores, calling `waiting` now and then."""
        with self._condition:
            while not self._room(threads, on_cpu):
                self._condition.wait(timeout=0.2)
                waiting()
            self._threads, self._jobs = self._threads + threads, self._jobs + 1
        try:
            yield
        finally:
            with self._condition:
                self._threads, self._jobs = self._threads - threads, self._jobs - 1
                self._condition.notify_all()

    def _room(self, threads: int, on_cpu: bool) -> bool:
        if not on_cpu:
            return self._jobs == 0  # one batch at a time: who comes meanwhile is in the next
        limit = process().jobs
        if limit:
            return self._jobs < limit
        return self._jobs == 0 or self._threads + threads <= cores()


_queue = _Queue()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=lambda: _queue.reset(forked=True))


def tensor(values: NDArray[Any]) -> torch.Tensor:
    """Numbers as float32 on the CPU, which gradients may flow through whatever mode the thread is in that has them."""
    with torch.inference_mode(False):
        return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def choose() -> torch.device:
    """The device of the process settings."""
    name = process().device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigurationError(f"device {name!r} cannot be used: {error}; set TINC_DEVICE to one that can") from error


def gpus() -> int:
    """Number of GPUs that this process sees."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


@contextmanager
def training(
    voxels: int,
    waiting: Callable[[], None],
    of_torch: Callable[[torch.device, int], int] = lambda device, threads: threads,
) -> Iterator[torch.device]:
    """Wait for room on the device, and set torch up for training whatever the caller's context is.

    Parameters
    ----------
    voxels
        Voxels of one training step.
    waiting
        Called now and then while there is no room; what it raises ends the waiting.
    of_torch
        How many threads torch's own operations have where training has so many on a device.
    """
    device = choose()
    on_cpu = device.type == "cpu"
    threads = _queue.threads(voxels, on_cpu)
    with _queue.place(threads, on_cpu, waiting), prepared(device, of_torch(device, threads)):
        yield device


@contextmanager
def prepared(device: torch.device, threads: int) -> Iterator[None]:
    """Torch set up for training whatever the caller's context is, and given back after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    # streams, graphs and kernels are the current device's, which need not be the one that trains
    current = torch.cuda.device(device.index if device.type == "cuda" and torch.cuda.is_available() else -1)
    try:
        with current, torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_num_threads(before)
