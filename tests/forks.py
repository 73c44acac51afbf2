"""Forks while other threads decode: ``python -m tests.forks 500`` counts the children that hang or answer wrongly.

On its own, without pytest's threads and with any Python that has tinc_codec.
"""

import faulthandler
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import zarr

from tests.models import random_residual, random_stream
from tinc_codec import TINCCodec, decode, set_process, zarr_kwargs
from tinc_codec.decoding.cache import chunks

PATIENCE = 30
"""Seconds after which a child is taken to hang."""

READERS = 3


def readings(folder: Path, decoder: str) -> list[Callable[[], bytes]]:
    """Ways of reading that take different locks: trees, residuals, stored samples, whole and in parts, through Zarr."""
    rng = np.random.default_rng(0)
    tree = random_stream(rng, (32, 40, 24), "u2", lanes=True, empty=0.1)
    residual, _ = random_residual(rng, (40, 24, 24), "i4", "C", 3, model=False)
    plain = TINCCodec(max_error=0).encode(rng.integers(0, 2**16, (30, 30), "u2"))
    set_process(decoder=decoder)
    path = folder / f"{decoder}.zarr"
    array = zarr.create_array(
        path, shape=(24, 48), chunks=(24, 24), dtype="f4", **zarr_kwargs(TINCCodec(max_error=0.1))
    )
    array[:] = rng.normal(0, 1, array.shape)
    calls = [lambda s=s, part=part: decode(s, part).tobytes() for s in (tree, residual, plain) for part in (None, (3,))]
    return [*calls, partial(_through_zarr, path)]


def _through_zarr(path: Path) -> bytes:
    return bytes(zarr.open_array(path, mode="r")[3:9].tobytes())


def run(count: int, decoder: str) -> int:
    """Number of children, of `count`, that did not answer as their parent does."""
    with tempfile.TemporaryDirectory() as folder:
        calls = readings(Path(folder), decoder)
        right, stop = [call() for call in calls], threading.Event()

        def read() -> None:
            while not stop.is_set():
                chunks.clear()
                for call in calls:
                    call()

        threads = [threading.Thread(target=read, daemon=True) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        wrong = 0
        for _ in range(count):
            time.sleep(0.002)
            child = os.fork()
            if child == 0:
                faulthandler.dump_traceback_later(PATIENCE, exit=True)
                os._exit(0 if [call() for call in calls] == right else 3)
            wrong += os.waitpid(child, 0)[1] != 0
        stop.set()
        for thread in threads:
            thread.join()
    return wrong


if __name__ == "__main__":
    number = int(sys.argv[1])
    total = 0
    for name in sys.argv[2:] or ["numpy", "numba"]:
        failed = run(number, name)
        total += failed
        print(
            f"Python {sys.version.split()[0]}, {name}: {failed} of {number} children hung or answered wrongly",
            flush=True,
        )
    sys.exit(total > 0)
