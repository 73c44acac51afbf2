import asyncio
import threading

import pytest

from tinc_codec.errors import RequestError
from tinc_codec.serve.work import Work


async def here():
    return False


async def gone():
    return True


def run(scenario, threads=1, requests=10):
    async def within():
        work = Work(threads, requests)
        try:
            return await scenario(work)
        finally:
            work.close()

    return asyncio.run(within())


def test_so_much_at_a_time_and_nothing_twice_at_once():
    calls, most, lock, gate = [], [0, 0], threading.Lock(), threading.Event()

    def call(key):
        with lock:
            calls.append(key)
            most[0] += 1
            most[1] = max(most)
        assert gate.wait(60)
        with lock:
            most[0] -= 1
        return key

    async def scenario(work):
        asked = [asyncio.create_task(work.do(key, lambda key=key: call(key), here)) for key in "abcabcab"]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(*asked)

    assert run(scenario, threads=2) == list("abcabcab")
    assert sorted(calls) == list("abc")
    assert most == [0, 2]


def test_an_error_is_told_to_all_who_wait_and_is_not_kept():
    answers = [RuntimeError("once"), "later"]

    def call():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def scenario(work):
        both = await asyncio.gather(*(work.do("a", call, here) for _ in range(2)), return_exceptions=True)
        return both, await work.do("a", call, here)

    (first, second), later = run(scenario)
    assert str(first) == str(second) == "once"
    assert later == "later"


def test_what_all_have_left_is_not_begun_and_who_comes_then_has_it_done():
    gate, calls = threading.Event(), []

    async def scenario(work):
        blocking = asyncio.create_task(work.do("first", lambda: gate.wait(60), here))
        left = asyncio.create_task(work.do("left", lambda: calls.append("left"), gone))
        mixed = [asyncio.create_task(work.do("mixed", lambda: calls.append("mixed"), who)) for who in (gone, here)]
        cancelled = asyncio.create_task(work.do("cancelled", lambda: calls.append("cancelled"), here))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        gate.set()
        await asyncio.gather(blocking, *mixed)
        with pytest.raises(RequestError, match="went away"):
            await left
        assert await work.do("left", lambda: "done", here) == "done"
        return await work.do("cancelled", lambda: "again", here)

    assert run(scenario) == "again"
    assert calls == ["mixed", "cancelled"]


def test_more_than_may_wait_are_refused():
    gate = threading.Event()

    async def scenario(work):
        asked = [asyncio.create_task(work.do(key, lambda: gate.wait(60), here)) for key in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as refused:
            await work.do("a", lambda: None, here)
        gate.set()
        await asyncio.gather(*asked)
        return refused.value.status, await work.do("a", lambda: "a", here)

    assert run(scenario, requests=2) == (503, "a")
