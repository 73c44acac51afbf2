"""A process that keeps a job's workers: it starts them, starts them again where they die, and ends with the job.

Workers that multiprocessing starts import the main module of the process that starts them. Were that the user's script,
it would run again in each of them, unless all of it were under ``if __name__ == "__main__":``. Here it is nobody's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import spawn
from typing import Any

import cloudpickle
import dask
from distributed import Nanny

SOURCE = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from tinc_codec.jobs.keeper import main; main()"
)
"""What the process runs; a main module without a file, which multiprocessing imports nowhere."""

_CLOSE = b"close"
"""Sent for an orderly end; where the other end of the pipe goes without it, its process has died."""

_GRACE = 60.0
"""Seconds that an orderly end may take."""

PAUSES = (0.5, 2.0, 5.0)
"""Seconds before a worker is started again that died while it was started."""


@dataclass(frozen=True)
class Order:
    """Workers to keep.

    Parameters
    ----------
    scheduler
        Its address.
    workers
        Options of `distributed.Nanny` for each.
    config
        Dask's settings.
    """

    scheduler: str
    workers: tuple[dict[str, Any], ...]
    config: dict[str, Any]


@contextmanager
def kept(order: Order) -> Iterator[subprocess.Popen[bytes]]:
    """Workers that are there for as long as the context lasts, and the process that keeps them."""
    command = [os.fsdecode(spawn.get_executable()), "-c", SOURCE]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        process.stdin.write(pickle.dumps(sys.path) + cloudpickle.dumps(order))
        process.stdin.flush()
        yield process
    finally:
        try:
            process.stdin.write(_CLOSE)
            process.stdin.close()
            process.wait(_GRACE)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()


def main() -> None:
    """Keep the workers that are ordered on standard input, until it says to end, or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the job's process; the workers inherit this
    order: Order = pickle.load(sys.stdin.buffer)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask.config.set(order.config):
        asyncio.run(_keep(order))


async def _keep(order: Order) -> None:
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def listen() -> None:
        if sys.stdin.buffer.read() != _CLOSE:
            os._exit(1)  # at once: whoever runs the job again must not find its workers still writing
        loop.call_soon_threadsafe(asked.set)

    threading.Thread(target=listen, daemon=True).start()
    nannies = await asyncio.gather(*(started(order.scheduler, options) for options in order.workers))
    await asked.wait()
    await asyncio.gather(*(nanny.close() for nanny in nannies))


async def started(scheduler: str, options: dict[str, Any]) -> Nanny:
    """Start a worker, and start it again where it dies before its nanny has seen it run: later, its nanny does that."""
    for pause in (*PAUSES, None):
        nanny = Nanny(scheduler, **options)
        try:
            await nanny
            break
        except RuntimeError:
            if pause is None:
                raise
            await asyncio.sleep(pause)
    return nanny
