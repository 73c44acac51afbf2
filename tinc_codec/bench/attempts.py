"""Peers at work in a process of their own: a library that crashes over odd data takes that along, and not the bench."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Self

from numpy.typing import NDArray

from tinc_codec.bench.peers import Peer, Search, UnsuitableError
from tinc_codec.errors import MissingDependencyError


@dataclass(frozen=True, eq=False)
class Decoded:
    """What came back of a volume, in its shape and dtype, from how many bytes, and the seconds that it took."""

    samples: NDArray[Any]
    size: int
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True, eq=False)
class Attempt:
    """What a peer made of a volume within a budget.

    Parameters
    ----------
    decoded
        None where it has no setting within the budget, or cannot code the volume at all.
    sizes
        Bytes at the levels that were tried, of this attempt and of those before.
    reason
        Why it cannot code the volume; empty where it can.
    """

    decoded: Decoded | None
    sizes: dict[float, int] = field(default_factory=dict)
    reason: str = ""


def attempt(peer: Peer, volume: NDArray[Any], budget: float, sizes: dict[float, int]) -> Attempt:
    """Let a peer code a volume at its finest level within a budget; `sizes` are known from attempts before."""
    search = Search(peer, volume, dict(sizes))
    try:
        level = search.finest_within(budget)
        if level is None:
            return Attempt(None, search.sizes)
        start = time.perf_counter()
        encoded = peer.encode(volume, level)
        middle = time.perf_counter()
        samples = peer.decode(encoded.data, volume)
        end = time.perf_counter()
    except (MissingDependencyError, UnsuitableError) as error:
        return Attempt(None, search.sizes, str(error))
    except Exception as error:  # whatever a peer's library raises over data that it cannot take: it is told as it is
        return Attempt(None, search.sizes, f"{type(error).__name__}: {error}")
    return Attempt(Decoded(samples, encoded.size, middle - start, end - middle), search.sizes)


class Isolation(AbstractContextManager["Isolation"]):
    """The process that peers work in; started when it is needed, and again after a crash."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def attempt(self, peer: Peer, volume: NDArray[Any], budget: float, sizes: dict[float, int]) -> Attempt:
        """See `attempt`."""
        if self._pool is None:
            # not forked: this process has threads, whose locks a child would find taken
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        try:
            return self._pool.submit(attempt, peer, volume, budget, sizes).result()
        except BrokenProcessPool:
            self._stop()
            return Attempt(None, sizes, "its library crashed over these data")

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
