"""Peers at work in a process of their own: a library that crashes over odd data takes that along, and not the bench."""

from __future__ import annotations

import multiprocessing
import signal
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
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
        self._worker: tuple[BaseProcess, Connection] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def attempt(self, peer: Peer, volume: NDArray[Any], budget: float, sizes: dict[float, int]) -> Attempt:
        """See `attempt`."""
        if self._worker is None:
            self._worker = _start()
        _, connection = self._worker
        try:
            connection.send((peer, volume, budget, sizes))
            answer: Attempt = connection.recv()
        except (EOFError, OSError):  # nobody is at the other end any more
            self._stop()
            return Attempt(None, sizes, "its library crashed over these data")
        return answer

    def _stop(self) -> None:
        if self._worker is not None:
            process, connection = self._worker
            process.kill()  # also in the middle of an attempt, after Ctrl-C
            process.join()
            connection.close()
            self._worker = None


def _start() -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")  # no fork: this process has threads, which may hold locks
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()
    return process, here


def _serve(connection: Connection) -> None:
    """Make attempts, until there is nobody who asks for them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one sees to it
    while True:
        try:
            given = connection.recv()
        except EOFError:
            return
        connection.send(attempt(*given))
