"""Scheduling: every chunk is one task that writes and one that reads back, with few of them in flight."""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import queue
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from distributed import Client, Future

from tinc_codec.errors import ConfigurationError, JobError, MissingDependencyError
from tinc_codec.jobs import interrupt, worker
from tinc_codec.jobs.cluster import GPU
from tinc_codec.jobs.ledger import Record
from tinc_codec.jobs.regions import Index
from tinc_codec.jobs.sources import SampleSource
from tinc_codec.jobs.worker import Work

log = logging.getLogger("tinc_codec")

OnError = Literal["lossless", "skip", "raise"]
ON_ERROR = ("lossless", "skip", "raise")

_AHEAD = 4
"""Tasks in flight for each worker thread: one that runs, and what is sent before it ends."""

_FEWEST = 64
"""Tasks in flight, at least."""

_LOOK, _PATIENCE = 0.5, 60.0
"""Seconds between two looks whether there are workers at all, and how long a job waits for the first to come back."""

_BATCH, _COMPARED = 256, 8
"""Chunks whose digests are checked in one task, and chunks that are compared with the source in one."""


@dataclass(frozen=True, eq=False)
class Task:
    """One region of one array."""

    work: Work
    index: Index
    part: SampleSource | None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.work.path}/{self.work.key(self.index)}".lstrip("/")


@dataclass(frozen=True)
class Failure:
    """A chunk that is not as asked.

    Parameters
    ----------
    chunk
        Array and key.
    reason
        The error.
    instead
        ``"lossless"`` or ``"skipped"``.
    """

    chunk: str
    reason: str
    instead: str


@dataclass(frozen=True)
class Rules:
    """How chunks are done.

    Parameters
    ----------
    retries
        How often one is tried again.
    verify
        Whether each is read back.
    on_error
        What becomes of a chunk that fails all the same.
    """

    retries: int = 2
    verify: bool = True
    on_error: OnError = "lossless"

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise ConfigurationError(f"on_error={self.on_error!r} is not known; known are {', '.join(ON_ERROR)}")
        if isinstance(self.retries, bool) or not isinstance(self.retries, int) or self.retries < 0:
            raise ConfigurationError(f"retries={self.retries!r} must be a whole number from 0")


class Job:
    """Tasks on their way through a client's workers.

    Parameters
    ----------
    client
        Dask's.
    rules
        How chunks are done.
    write, verify
        What the two tasks of a chunk do; `tinc_codec.jobs.worker` says how.
    """

    def __init__(
        self,
        client: Client,
        rules: Rules,
        write: Callable[..., Record] = worker.write,
        verify: Callable[..., Record] = worker.verify,
    ) -> None:
        self._client, self._rules = client, rules
        self._write, self._verify = write, verify
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        gpu = any(w["resources"].get(GPU) for w in workers)
        self._resources = {GPU: 1} if gpu else {}
        self.window = max(_FEWEST, _AHEAD * sum(w["nthreads"] for w in workers))
        self._run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count()
        self._done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._pending: dict[str, tuple[Task, Future[Any], bool]] = {}

    def run(self, tasks: Iterator[Task]) -> Iterator[Record | Failure]:
        """Do tasks, which are taken as there is room for them; yields each as it is done, or that it was skipped.

        Raises
        ------
        JobError
            A chunk failed and is not to be passed over, or nothing can be written any more.
        """
        with interrupt.deferred() as check:
            try:
                yield from self._run_all(tasks, check)
            finally:
                if self._pending:
                    self._client.cancel([future for _, future, _ in self._pending.values()], force=True)
                    self._pending.clear()

    def _run_all(self, tasks: Iterator[Task], check: Callable[[], None]) -> Iterator[Record | Failure]:
        self._fill(tasks)
        while self._pending:
            for future, result in self._finished(check):
                task, _, lossless = self._pending.pop(str(future.key))
                if future.status == "finished":
                    yield result
                    continue
                failure = self._failed(task, _error_of(future), lossless)
                if isinstance(failure, Failure):
                    yield failure
                else:
                    self._submit([task], failure)
            check()
            self._fill(tasks)

    def _fill(self, tasks: Iterator[Task]) -> None:
        """Send tasks once half of those in flight are done; each is so small that the scheduler does not feel them."""
        if 2 * len(self._pending) <= self.window:
            more = list(itertools.islice(tasks, self.window - len(self._pending)))
            if more:
                self._submit(more)

    def _finished(self, check: Callable[[], None]) -> Iterator[tuple[Future[Any], Any]]:
        """Futures that are done, and their results; waits until there is one.

        Raises
        ------
        JobError
            There are no workers any more.
        """
        found = [self._wait(check)]
        while not self._done.empty():
            found.append(self._done.get())
        good = [future for future in found if future.status == "finished"]
        results = dict(zip(good, self._client.gather(good), strict=True))
        return ((future, results.get(future)) for future in found)

    def _wait(self, check: Callable[[], None]) -> Future[Any]:
        alone = 0.0
        while True:
            check()
            with contextlib.suppress(queue.Empty):
                return self._done.get(timeout=_LOOK)
            alone = 0.0 if self._client.scheduler_info(n_workers=-1)["workers"] else alone + _LOOK
            if alone >= _PATIENCE:
                raise JobError("all workers are gone, and none came back: see why in their logs, and run it again")

    def _submit(self, tasks: Sequence[Task], instead: str | None = None) -> None:
        """Send tasks to the scheduler together, which costs it less than one by one."""
        numbers = [f"{self._run}-{next(self._numbers)}" for _ in tasks]
        packed, parts = [task.work.packed for task in tasks], [task.part for task in tasks]
        settings: dict[str, Any] = {"retries": self._rules.retries, "pure": False}
        last = self._client.map(
            self._write,
            packed,
            [task.index for task in tasks],
            parts,
            [instead] * len(tasks),
            key=[f"tinc-write-{number}" for number in numbers],
            resources=self._resources or None,
            **settings,
        )
        if self._rules.verify:
            keys = [f"tinc-verify-{number}" for number in numbers]
            last = self._client.map(self._verify, packed, last, parts, key=keys, **settings)
        for task, future in zip(tasks, last, strict=True):
            self._pending[str(future.key)] = (task, future, instead is not None)
            future.add_done_callback(self._done.put)

    def _failed(self, task: Task, error: BaseException, lossless: bool) -> Failure | str:
        """What to do about a failed chunk: pass over it, or the reason to store it losslessly."""
        reason = f"{type(error).__name__}: {error}"
        stops = isinstance(error, MissingDependencyError | ConfigurationError) or _no_room(error)
        can_be_lossless = self._rules.on_error == "lossless" and not lossless and task.work.mode == "encode"
        if not stops and can_be_lossless:
            log.warning("chunk %s is stored losslessly: %s", task.name, reason)
            return reason
        if not stops and self._rules.on_error == "skip":
            log.warning("chunk %s is skipped, and reads as the fill value: %s", task.name, reason)
            return Failure(task.name, reason, "skipped")
        raise JobError(f"chunk {task.name} failed: {reason}") from error


def _error_of(future: Future[Any]) -> BaseException:
    if future.status == "cancelled":
        return JobError("it was cancelled, or lost with the scheduler")
    error: BaseException = future.exception()
    return error


def _no_room(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return True
        error = error.__cause__ or error.__context__
    return False


def find_doubtful(client: Client, work: Work, records: list[Record], compare: bool) -> set[str]:
    """Keys of those chunks that the store does not have as the ledger says, see `tinc_codec.jobs.worker.doubtful`."""
    size = _COMPARED if compare else _BATCH
    batches = [records[start : start + size] for start in range(0, len(records), size)]
    found: set[str] = set()
    for start in range(0, len(batches), _BATCH):
        futures = []
        for batch in batches[start : start + _BATCH]:
            parts = [work.reader.part(work.regions.at(r.index)) if work.reader and compare else None for r in batch]
            futures.append(client.submit(worker.doubtful, work.packed, batch, parts, compare, pure=False))
        for keys in client.gather(futures):
            found.update(keys)
    return found
