"""Work over pieces: each after those that it needs, the answers in the order of the pieces, whoever gave them."""

import threading

import pytest

from tinc_codec import set_process
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.schedule import over
from tinc_codec.runtime.threads import share

PARTS = layout(Plan((1, 64, 64, 64), (Group((0,), 0), Group((1,), 2), Group((2, 3), 3)), 8))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("every", [1, 3])
def test_a_piece_is_done_after_those_that_it_needs(threads, every, monkeypatch):
    monkeypatch.setattr("tinc_codec.runtime.threads.cores", lambda: 3)
    monkeypatch.setattr("tinc_codec.detail.schedule.cores", lambda: 3)
    set_process(threads=threads)
    asked = range(0, len(PARTS.pieces), every)
    ended, lock, at_once = set(), threading.Barrier(threads), threading.local()

    def work(number):
        if not hasattr(at_once, "met"):
            at_once.met = lock.wait(5) if number else None  # every thread has some of it to do
        assert ended >= set(asked) & set(PARTS.pieces[number].needs)
        ended.add(number)
        return -number

    assert over(PARTS, asked, True, work) == [-number for number in asked]
    assert ended == set(asked)


@pytest.mark.parametrize("place", [0, 40, len(PARTS.pieces) - 1])
def test_an_error_ends_the_work_of_all_threads(place, monkeypatch):
    monkeypatch.setattr("tinc_codec.runtime.threads.cores", lambda: 3)
    monkeypatch.setattr("tinc_codec.detail.schedule.cores", lambda: 3)
    set_process(threads=3)

    def work(number):
        if number == place:
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        over(PARTS, range(len(PARTS.pieces)), True, work)


def test_what_gains_nothing_by_threads_is_done_by_the_caller():
    set_process(threads=3)
    every = range(len(PARTS.pieces))
    assert set(over(PARTS, every, False, lambda number: threading.get_ident())) == {threading.get_ident()}
    assert set(over(PARTS, every[:3], True, lambda number: threading.get_ident())) == {threading.get_ident()}


def test_a_piece_alone_has_its_own_work_shared(monkeypatch):
    monkeypatch.setattr("tinc_codec.runtime.threads.cores", lambda: 2)
    monkeypatch.setattr("tinc_codec.detail.schedule.cores", lambda: 2)
    set_process(threads=2)
    whole = layout(Plan((1, 64, 64, 64), (Group((0,), 0), Group((1,), 2), Group((2, 3), 3)), 64))
    met = threading.Barrier(2)
    assert over(whole, [0], True, lambda number: share(lambda begin, end: met.wait(5), [1, 1])) == [None]


@pytest.mark.parametrize("parallel", [True, False])
def test_of_nothing_there_is_nothing(parallel):
    assert over(PARTS, [], parallel, lambda number: number) == []
