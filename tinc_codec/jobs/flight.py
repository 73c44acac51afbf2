"""Calls on their way through dask's workers: what is lost with a worker is computed again, as often as it takes.

A result lies on the worker that computed it until it is fetched, and is gone when that worker dies; its future goes
back from finished to pending at any moment. A worker's death is never the call's own failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from distributed import Client, Future, KilledWorker

from tinc_codec.errors import JobError
from tinc_codec.jobs.cluster import known_workers

_LOOK, PATIENCE = 0.5, 120.0
"""Seconds between two looks whether there are workers at all, and how long to wait for the first to come back."""

_DEATHS = 3
"""How often dask may give a call up because workers die with it, each time after several of them, until it is said."""

Call = TypeVar("Call")
Check = Callable[[], None]
"""Raises where the user wants to stop."""


class Flight(Generic[Call]):
    """Calls that were sent, and are not back.

    Parameters
    ----------
    client
        Dask's.
    send
        Sends calls to the scheduler together, and gives a future for each.
    """

    def __init__(self, client: Client, send: Callable[[Sequence[Call]], Sequence[Future[Any]]]) -> None:
        self._client, self._send = client, send
        self._landed: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._aloft: dict[str, tuple[Call, Future[Any]]] = {}
        self._lost: dict[str, Future[Any]] = {}
        self._deaths: Counter[Call] = Counter()

    def __len__(self) -> int:
        return len(self._aloft)

    def start(self, calls: Sequence[Call]) -> None:
        """Send calls."""
        for call, future in zip(calls, self._send(calls), strict=True):
            self._aloft[str(future.key)] = (call, future)
            future.add_done_callback(self._landed.put)

    def cancel(self) -> None:
        """Give up what is not back."""
        if self._aloft:
            self._client.cancel([future for _, future in self._aloft.values()], force=True)
            self._aloft.clear()
            self._lost.clear()

    def land(self, check: Check) -> list[tuple[Call, Any]]:
        """Wait until there are results, and take them: each call with its value, or the error that it raised.

        Raises
        ------
        JobError
            There are no workers any more, or they die of a call; or the scheduler is gone.
        """
        while not (outcomes := self.look(check)):
            pass
        return outcomes

    def look(self, check: Check) -> list[tuple[Call, Any]]:
        """Wait until something has become of a call, and take what there is: nothing, where results were lost."""
        futures = [self._wait(self._next, check)]
        while not self._landed.empty():
            futures.append(self._landed.get())
        return self.take(futures, check)

    def _next(self, seconds: float) -> Future[Any]:
        for key, future in self._lost.items():
            if future.done():
                del self._lost[key]
                return future
        return self._landed.get(timeout=seconds)

    def take(self, futures: list[Future[Any]], check: Check) -> list[tuple[Call, Any]]:
        """What became of the calls of these futures, as far as it is there."""
        finished, outcomes = [], []
        for future in futures:
            status = future.status  # looked at once: it may be another a moment later
            if status == "finished":
                finished.append(future)
            elif status in ("error", "cancelled"):
                outcomes += self._failed(future, status)
            else:
                self._lost[str(future.key)] = future  # and is being computed again
        results = self.fetch(finished, check)
        for future in finished:
            if str(future.key) in results:
                outcomes.append((self._aloft.pop(str(future.key))[0], results[str(future.key)]))
            else:
                self._lost[str(future.key)] = future  # and computing it again failed
        return outcomes

    def _failed(self, future: Future[Any], status: str) -> list[tuple[Call, BaseException]]:
        if status == "cancelled":
            raise JobError("the scheduler has gone, or has cancelled what it was asked for: run it again")
        error = future.exception()
        if error is None:
            self._lost[str(future.key)] = future
            return []
        call, _ = self._aloft.pop(str(future.key))
        if not isinstance(error, KilledWorker):
            return [(call, error)]
        self._deaths[call] += 1
        if self._deaths[call] == _DEATHS:
            raise JobError(
                f"workers die again and again while they do {call}: see why in their logs, give them more memory or "
                "smaller chunks, and run it again"
            ) from error
        self.start([call])
        return []

    def fetch(self, futures: list[Future[Any]], check: Check) -> Mapping[str, Any]:
        """Results by key, without those that cannot be had."""
        if not futures:
            return {}
        by_key = {str(future.key): future for future in futures}
        coroutine = self._client.gather(by_key, errors="skip", asynchronous=True)
        loop: Any = self._client.loop
        gathered = asyncio.run_coroutine_threadsafe(coroutine, loop.asyncio_loop)
        try:
            values = self._wait(lambda seconds: gathered.result(timeout=seconds), check)
        finally:
            gathered.cancel()
        return {key: value for key, value in values.items() if value is not None}

    def _wait(self, take: Callable[[float], Any], check: Check) -> Any:
        """What `take` gives, which is called until it does; it gets the seconds that it may wait."""
        alone = 0.0
        while True:
            check()
            with contextlib.suppress(queue.Empty, TimeoutError):
                return take(_LOOK)
            alone = 0.0 if known_workers(self._client) else alone + _LOOK
            if alone >= PATIENCE:
                raise JobError("all workers are gone, and none came back: see why in their logs, and run it again")
