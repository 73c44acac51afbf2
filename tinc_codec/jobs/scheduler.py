"""Scheduling: every chunk is one task that writes and one that reads back, with few of them in flight."""

from __future__ import annotations

import errno
import itertools
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future

from tinc_codec.errors import ConfigurationError, DestinationError, JobError, MissingDependencyError, SourceError
from tinc_codec.jobs import interrupt, worker
from tinc_codec.jobs.cluster import GPU, known_workers
from tinc_codec.jobs.flight import Flight
from tinc_codec.jobs.ledger import Record
from tinc_codec.jobs.rules import Rules
from tinc_codec.jobs.work import Piece, Work

log = logging.getLogger("tinc_codec")

_AHEAD = 4
"""Tasks in flight for each worker thread: one that runs, and what is sent before it ends."""

_FEWEST = 64
"""Tasks in flight, at least."""

_BATCH, _COMPARED = 256, 8
"""Chunks whose digests are checked in one task, and chunks that are compared with the source in one."""


@dataclass(frozen=True, eq=False)
class Task:
    """One region of one array."""

    work: Work
    piece: Piece

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.work.path}/{self.work.key(self.piece.index)}".lstrip("/")


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


@dataclass(frozen=True, eq=False)
class _Attempt:
    """A task on its way.

    Parameters
    ----------
    task
        What is to be done.
    instead
        Why it is to be stored losslessly instead of as asked.
    """

    task: Task
    instead: str | None = None

    def __str__(self) -> str:
        return f"chunk {self.task.name}"


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
        workers = known_workers(client)
        gpu = any(w["resources"].get(GPU) for w in workers)
        self._resources = {GPU: 1} if gpu else {}
        self.window = max(_FEWEST, _AHEAD * sum(w["nthreads"] for w in workers))
        self._run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count()

    def run(self, tasks: Iterator[Task]) -> Iterator[Record | Failure]:
        """Do tasks, which are taken as there is room for them; yields each as it is done, or that it was skipped.

        Raises
        ------
        SourceError
            The source changed, or went away.
        JobError
            A chunk failed and is not to be passed over, or nothing can be written any more.
        """
        flight = Flight(self._client, self._send)
        with interrupt.deferred() as check:
            try:
                self._fill(flight, tasks)
                while flight:
                    for attempt, outcome in flight.land(check):
                        if not isinstance(outcome, BaseException):
                            yield outcome
                            continue
                        next_step = self._failed(attempt, outcome)
                        if isinstance(next_step, Failure):
                            yield next_step
                        else:
                            flight.start([next_step])
                    check()
                    self._fill(flight, tasks)
            finally:
                flight.cancel()

    def _fill(self, flight: Flight[_Attempt], tasks: Iterator[Task]) -> None:
        """Send tasks once half of those in flight are done; each is so small that the scheduler does not feel them."""
        if 2 * len(flight) <= self.window:
            more = [_Attempt(task) for task in itertools.islice(tasks, self.window - len(flight))]
            if more:
                flight.start(more)

    def _send(self, attempts: Sequence[_Attempt]) -> list[Future[Any]]:
        """Send tasks to the scheduler together, which costs it less than one by one."""
        tasks = [attempt.task for attempt in attempts]
        numbers = [f"{self._run}-{next(self._numbers)}" for _ in tasks]
        packed, pieces = [task.work.packed for task in tasks], [task.piece for task in tasks]
        settings: dict[str, Any] = {"retries": self._rules.retries, "pure": False}
        last: list[Future[Any]] = self._client.map(
            self._write,
            packed,
            pieces,
            [attempt.instead for attempt in attempts],
            key=[f"tinc-write-{number}" for number in numbers],
            resources=self._resources or None,
            **settings,
        )
        if self._rules.verify:
            keys = [f"tinc-verify-{number}" for number in numbers]
            last = self._client.map(self._verify, packed, last, pieces, key=keys, **settings)
        return last

    def _failed(self, attempt: _Attempt, error: BaseException) -> Failure | _Attempt:
        """What to do about a failed chunk: pass over it, or try to store it losslessly."""
        task, reason = attempt.task, f"{type(error).__name__}: {error}"
        if isinstance(error, SourceError):
            raise _stopped_by(error) from error
        if isinstance(error, DestinationError):
            raise DestinationError(f"{error}; what is done is in the ledger: run the same again") from error
        stops = isinstance(error, MissingDependencyError | ConfigurationError) or _no_room(error)
        can_be_lossless = self._rules.on_error == "lossless" and attempt.instead is None and task.work.mode == "encode"
        if not stops and can_be_lossless:
            log.warning("chunk %s is stored losslessly: %s", task.name, reason)
            return _Attempt(task, reason)
        if not stops and self._rules.on_error == "skip":
            log.warning("chunk %s is skipped, and reads as the fill value: %s", task.name, reason)
            return Failure(task.name, reason, "skipped")
        raise JobError(f"chunk {task.name} failed: {reason}") from error


def _stopped_by(error: SourceError) -> SourceError:
    return SourceError(
        f"{error}; nothing takes the destination's place, and the ledger has what is done: bring the source back as it "
        "was and run the same again, or begin anew with resume=False"
    )


def _no_room(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return True
        error = error.__cause__ or error.__context__
    return False


@dataclass(frozen=True, eq=False)
class _Batch:
    """Records that are looked at in one call."""

    records: list[Record]

    def __str__(self) -> str:
        return f"a look at chunk {self.records[0].key} and the next {len(self.records) - 1}"


def find_doubtful(client: Client, work: Work, records: list[Record], compare: bool) -> set[str]:
    """Keys of those chunks that the store does not have as the ledger says, see `tinc_codec.jobs.worker.doubtful`.

    Raises
    ------
    SourceError
        The source is not what it was when they were written.
    """

    def send(batches: Sequence[_Batch]) -> list[Future[Any]]:
        return [_submit_look(client, work, batch.records, compare) for batch in batches]

    size = _COMPARED if compare else _BATCH
    batches = (_Batch(records[start : start + size]) for start in range(0, len(records), size))
    flight, doubtful = Flight(client, send), set[str]()
    with interrupt.deferred() as check:
        try:
            while True:
                flight.start(list(itertools.islice(batches, _BATCH - len(flight))))
                check()
                if not flight:
                    return doubtful
                for _, outcome in flight.land(check):
                    if isinstance(outcome, SourceError):
                        raise _stopped_by(outcome) from outcome
                    if isinstance(outcome, DestinationError):
                        raise outcome
                    if isinstance(outcome, BaseException):
                        raise JobError(f"what is done cannot be looked at: {outcome}") from outcome
                    doubtful.update(outcome)
        finally:
            flight.cancel()


def _submit_look(client: Client, work: Work, records: list[Record], compare: bool) -> Future[Any]:
    pieces = [work.piece(record.index) if compare else Piece(record.index) for record in records]
    return client.submit(worker.doubtful, work.packed, records, pieces, compare, pure=False)
