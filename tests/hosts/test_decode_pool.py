"""Chunks that tasks of an event loop ask for at once."""

import asyncio
import threading
import time
from functools import partial

import pytest

from tinc_codec.hosts import decode_pool as readers
from tinc_codec.hosts.decode_pool import AHEAD, alone, together


def asks(*prepares):
    """The answers, or the errors, of all of them asked for at once."""

    async def gathered():
        return await asyncio.gather(*map(together, prepares), return_exceptions=True)

    return asyncio.run(gathered())


def answering(value):
    return lambda: lambda: value


def test_everybody_gets_his_own_answer():
    assert asks(*map(answering, range(100))) == list(range(100))


def test_one_that_is_alone_is_answered():
    assert asks(answering(None)) == [None]
    assert asyncio.run(alone(divmod, 7, 2)) == (3, 1)


@pytest.mark.parametrize("where", ["prepare", "decode"])
def test_an_error_is_its_callers_alone(where):
    def wrong():
        raise KeyError("mine")

    bad = wrong if where == "prepare" else lambda: wrong
    before, error, after = asks(answering(1), bad, answering(2))
    assert (before, after) == (1, 2)
    assert isinstance(error, KeyError)
    assert error.args == ("mine",)


def test_what_nobody_waits_for_any_more_is_not_decoded(monkeypatch):
    monkeypatch.setattr(readers, "cores", lambda: 1)
    begun, go, decoded = threading.Event(), threading.Event(), []

    def first():
        begun.set()
        assert go.wait(30)
        return lambda: "first"

    async def run():
        tasks = [
            asyncio.ensure_future(together(first)),
            asyncio.ensure_future(together(lambda: partial(decoded.append, 1))),
        ]
        await asyncio.to_thread(begun.wait, 30)
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        go.set()
        return await tasks[0]

    assert asyncio.run(run()) == "first"
    assert decoded == []


def test_few_wait_prepared_however_many_are_asked_for():
    waiting, most, lock = 0, 0, threading.Lock()

    def count(step):
        nonlocal waiting, most
        with lock:
            waiting += step
            most = max(most, waiting)

    def prepare():
        count(1)
        return lambda: count(-1)

    asks(*[prepare] * 200)
    assert waiting == 0
    assert most <= AHEAD + 2 * readers.cores()


def test_an_answer_does_not_wait_for_slow_ones():
    async def run():
        slow = [asyncio.ensure_future(together(lambda: lambda: time.sleep(0.2))) for _ in range(20)]
        done, _ = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        first = len(done)
        await asyncio.gather(*slow)
        return first

    assert asyncio.run(run()) < 20


def test_loops_of_several_threads_do_not_meet():
    answers = {}

    def run(number):
        answers[number] = asks(*(answering((number, k)) for k in range(20)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: [(number, k) for k in range(20)] for number in range(4)}


def test_when_no_thread_can_begin_any_more_everybody_is_told(monkeypatch):
    class Closed:
        def submit(self, _):
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(readers, "readers", Closed)
    assert [type(error) for error in asks(answering(1), answering(2))] == [RuntimeError, RuntimeError]
