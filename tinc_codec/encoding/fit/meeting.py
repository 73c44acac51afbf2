"""Where threads meet that have work of one kind for a device, so that it is done for all of them at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Given = TypeVar("Given")
Answer = TypeVar("Answer")

_LOOK = 0.1
"""Seconds between two looks at whether a waiting thread is to go on waiting."""

Work = Callable[[list[Given]], Sequence[Answer | BaseException]]
"""Does the work of all: an answer for each, or what its own thread is to raise."""


@dataclass(eq=False)
class _Batch(Generic[Given, Answer]):
    """Threads that have met; all of it is guarded by the meeting's condition."""

    most: int
    members: list[_Seat[Given, Answer]] = field(default_factory=list)
    led: bool = False
    open: bool = True


@dataclass(eq=False)
class _Seat(Generic[Given, Answer]):
    """What one thread has brought, and gets."""

    given: Given
    outcome: list[Answer | BaseException] = field(default_factory=list)


class Meeting(Generic[Given, Answer]):
    """Gathers work of one kind into batches.

    The first to come leads: it waits for the device, and meanwhile, and for a short while after it, others join. Then
    it does the work of all. A leader that is stopped before leaves its place to the next.

    Parameters
    ----------
    linger
        Seconds that a batch waits for further members once it has the device.
    """

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self.reset()

    def reset(self) -> None:
        """Forget who was there: after a fork those threads do not exist. To be given to `os.register_at_fork`."""
        self._condition = threading.Condition()
        self._open: dict[Hashable, _Batch[Given, Answer]] = {}

    def attend(
        self,
        kind: Hashable,
        given: Given,
        most: int,
        room: Callable[[], AbstractContextManager[Any]],
        work: Work[Given, Answer],
        waiting: Callable[[], None],
    ) -> Answer:
        """Have one piece of work done, with others of its kind.

        Parameters
        ----------
        kind
            What the pieces of a batch have in common.
        given
            The piece.
        most
            Of a batch, at most.
        room
            Waits until the device is free; calls `waiting` meanwhile.
        work
            Does the work of a batch, in the thread of one of its members.
        waiting
            Called now and then; what it raises ends the waiting, and is raised.
        """
        batch, seat = self._joined(kind, given, most)
        with self._leaving(kind, batch, seat):
            while not self._settled(batch, seat):
                if self._leads(batch):
                    self._lead(kind, batch, room, work, waiting)
                else:
                    waiting()
        (outcome,) = seat.outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _joined(self, kind: Hashable, given: Given, most: int) -> tuple[_Batch[Given, Answer], _Seat[Given, Answer]]:
        with self._condition:
            batch = self._open.get(kind)
            if batch is None or len(batch.members) >= batch.most:
                batch = self._open[kind] = _Batch(most)
            seat: _Seat[Given, Answer] = _Seat(given)
            batch.members.append(seat)
            self._condition.notify_all()
            return batch, seat

    def _settled(self, batch: _Batch[Given, Answer], seat: _Seat[Given, Answer]) -> bool:
        """Whether there is an outcome; else wait for a little where somebody else leads."""
        with self._condition:
            if batch.led and not seat.outcome:
                self._condition.wait(_LOOK)
            return bool(seat.outcome)

    def _leads(self, batch: _Batch[Given, Answer]) -> bool:
        """Take the lead where nobody has it."""
        with self._condition:
            leads, batch.led = not batch.led, True
            return leads

    @contextmanager
    def _leaving(self, kind: Hashable, batch: _Batch[Given, Answer], seat: _Seat[Given, Answer]) -> Iterator[None]:
        """Whoever is stopped leaves the batch while it gathers; one at work goes on without an heir to the answer."""
        try:
            yield
        except BaseException:
            with self._condition:
                if batch.open:
                    batch.members.remove(seat)
                    if not batch.members:
                        self._close(kind, batch)
            raise

    def _lead(
        self,
        kind: Hashable,
        batch: _Batch[Given, Answer],
        room: Callable[[], AbstractContextManager[Any]],
        work: Work[Given, Answer],
        waiting: Callable[[], None],
    ) -> None:
        try:
            with room():
                self._gather(kind, batch, waiting)
                outcomes = _outcomes(work, [seat.given for seat in batch.members])
        except BaseException:
            with self._condition:
                batch.led = False
                self._condition.notify_all()
            raise
        with self._condition:
            for seat, outcome in zip(batch.members, outcomes, strict=True):
                seat.outcome.append(outcome)
            self._condition.notify_all()

    def _gather(self, kind: Hashable, batch: _Batch[Given, Answer], waiting: Callable[[], None]) -> None:
        """Wait for further members, and close the batch."""
        until = time.monotonic() + self._linger
        while self._is_short_of_members(batch, until):
            waiting()
        with self._condition:
            self._close(kind, batch)

    def _is_short_of_members(self, batch: _Batch[Given, Answer], until: float) -> bool:
        """Whether a batch may wait for more until then; where it may, after a little of that."""
        with self._condition:
            left = until - time.monotonic()
            short = len(batch.members) < batch.most and left > 0
            if short:
                self._condition.wait(min(left, _LOOK))
            return short

    def _close(self, kind: Hashable, batch: _Batch[Given, Answer]) -> None:
        batch.open = False
        if self._open.get(kind) is batch:
            del self._open[kind]


def _outcomes(work: Work[Given, Answer], given: list[Given]) -> Sequence[Answer | BaseException]:
    try:
        return work(given)
    except BaseException as error:  # of all members, whichever thread did the work
        return [error] * len(given)
