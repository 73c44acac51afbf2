"""One pool of threads for the process."""

import threading

import pytest

from tinc_codec import set_process
from tinc_codec.runtime import threads


def test_work_is_shared_and_what_it_calls_is_not_divided_again(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    done = []

    def inner(number):
        done.append((threading.get_ident(), number))

    def outer(number):
        threads.spread(lambda part: inner((number, part)), range(8))  # would wait for its own pool for ever

    threads.spread(outer, range(16))
    assert sorted(number for _, number in done) == [(a, b) for a in range(16) for b in range(8)]
    assert len({thread for thread, _ in done}) > 1
    done.clear()
    threads.share(lambda begin, end: inner((begin, end)), [1] * 16, worth=100)
    assert done == [(threading.get_ident(), (0, 16))]


def test_one_thread_is_one_thread():
    set_process(threads=1)
    seen = set()
    threads.spread(lambda _: seen.add(threading.get_ident()), range(8))
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("place", [0, 7])
def test_an_error_in_any_share_comes_out(place, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 2)

    def work(number):
        if number == place:
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        threads.spread(work, range(8))
    threads.spread(lambda _: None, range(8))


@pytest.mark.parametrize("count", [0, 1, 7, 64, 65, 1000])
def test_even_work_is_done_once_whoever_does_it(count, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 3)
    done = []
    threads.evenly(lambda begin, end: done.extend(range(begin, end)), count, 2.0, worth=3)
    assert sorted(done) == list(range(count))


@pytest.mark.parametrize("count", [1, 2])
def test_work_ahead_is_done_when_the_body_has_ended(count):
    set_process(threads=count)
    seen, body = [], threading.Event()

    def work():
        assert body.wait(5 if count > 1 else 0) == (count > 1)
        seen.append(threading.get_ident())

    with threads.ahead(work):
        body.set()
    assert len(seen) == 1
    assert (seen[0] == threading.get_ident()) == (count == 1)


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_of_work_ahead_comes_out_but_that_of_the_body_comes_first(count):
    set_process(threads=count)

    def work():
        raise ValueError("ahead")

    with pytest.raises(ValueError, match="ahead"), threads.ahead(work):
        pass
    if count > 1:
        with pytest.raises(KeyError, match="body"), threads.ahead(work):
            raise KeyError("body")
