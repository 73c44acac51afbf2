"""Threads with work of one kind meet, and it is done once for all of them."""

import threading
from contextlib import contextmanager

import pytest

from tinc_codec.encoding.fit.meeting import Meeting


class Room:
    """A device that one batch has at a time; it opens when the test says so."""

    def __init__(self):
        self.lock, self.open, self.batches = threading.Lock(), threading.Event(), []

    def enter(self, waiting):
        @contextmanager
        def entered():
            while not self.open.wait(0.01):
                waiting()
            with self.lock:
                yield

        return entered

    def work(self, given):
        self.batches.append(sorted(given))
        return [-each for each in given]


def members(meeting):
    return sum(len(batch.members) for batch in meeting._open.values())


class Crowd:
    """Threads that attend a meeting, and what each one got."""

    def __init__(self, meeting, room, most=10):
        self.meeting, self.room, self.most = meeting, room, most
        self.threads, self.got, self.stopped = [], {}, set()

    def come(self, given, kind="a", work=None):
        def waiting():
            if given in self.stopped:
                raise InterruptedError(given)

        def run():
            try:
                args = (kind, given, self.most, self.room.enter(waiting), work or self.room.work, waiting)
                self.got[given] = self.meeting.attend(*args)
            except BaseException as error:
                self.got[given] = error

        before = members(self.meeting)
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        if not self.room.open.is_set():
            until(lambda: members(self.meeting) == before + 1 or before + 1 > self.most)

    def end(self):
        self.room.open.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


def until(true):
    for _ in range(6000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to this")


@pytest.fixture
def crowd():
    return Crowd(Meeting(0.0), Room())


def test_who_comes_while_the_device_is_busy_is_in_the_next_batch(crowd):
    for given in range(5):
        crowd.come(given)
    crowd.end()
    assert crowd.room.batches == [[0, 1, 2, 3, 4]]
    assert crowd.got == {given: -given for given in range(5)}
    assert members(crowd.meeting) == 0


def test_kinds_are_kept_apart(crowd):
    for given in range(4):
        crowd.come(given, kind=given % 2)
    crowd.end()
    assert sorted(crowd.room.batches) == [[0, 2], [1, 3]]


def test_a_batch_has_no_more_than_it_may():
    crowd = Crowd(Meeting(0.0), Room(), most=2)
    for given in range(2):
        crowd.come(given)
    crowd.come(2)
    crowd.end()
    assert sorted(crowd.room.batches) == [[0, 1], [2]]


def test_a_batch_lingers_for_others_once_it_has_the_device():
    crowd = Crowd(Meeting(60.0), Room(), most=2)
    crowd.room.open.set()
    crowd.come(0)
    until(lambda: members(crowd.meeting) == 1)
    crowd.come(1)  # the batch is full, and waits no longer
    crowd.end()
    assert crowd.room.batches == [[0, 1]]


@pytest.mark.parametrize("stopped", [0, 1])
def test_who_is_stopped_while_waiting_leaves_and_another_leads(crowd, stopped):
    for given in range(3):
        crowd.come(given)
    crowd.stopped.add(stopped)
    until(lambda: stopped in crowd.got)
    crowd.end()
    assert isinstance(crowd.got.pop(stopped), InterruptedError)
    assert crowd.got == {given: -given for given in range(3) if given != stopped}
    assert crowd.room.batches == [sorted(crowd.got)]


def test_the_last_that_leaves_closes_the_meeting(crowd):
    crowd.come(0)
    crowd.stopped.add(0)
    until(lambda: 0 in crowd.got)
    crowd.end()
    assert members(crowd.meeting) == 0
    crowd.come(1)
    crowd.end()
    assert crowd.got[1] == -1


def test_errors_are_raised_where_they_belong(crowd):
    def work(given):
        crowd.room.work(given)
        return [ValueError("mine") if each == 1 else each for each in given]

    for given in range(3):
        crowd.come(given, work=work)
    crowd.end()
    assert isinstance(crowd.got[1], ValueError)
    assert (crowd.got[0], crowd.got[2]) == (0, 2)


def test_where_the_work_fails_it_fails_for_all(crowd):
    def work(given):
        raise MemoryError("no")

    for given in range(3):
        crowd.come(given, work=work)
    crowd.end()
    assert {type(error) for error in crowd.got.values()} == {MemoryError}


def test_after_a_fork_nobody_is_there(crowd):
    crowd.come(0)
    crowd.end()
    crowd.meeting._open["a"] = None
    crowd.meeting.reset()
    assert crowd.meeting._open == {}
