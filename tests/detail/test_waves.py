"""Work over pieces: in the order of waves, the answers in that of the pieces, whatever thread gave them."""

import threading

import pytest

from tinc_codec import set_process
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.waves import over

PARTS = layout(Plan((1, 64, 64, 64), (Group((0,), 0), Group((1, 2, 3), 3)), 8))


@pytest.mark.parametrize("threads", [1, 3])
def test_no_wave_begins_before_the_last_has_ended(threads):
    set_process(threads=threads)
    running, ended, lock = [0] * 99, [], threading.Lock()

    def work(number):
        wave = PARTS.pieces[number].wave
        with lock:
            running[wave] += 1
            assert not any(running[:wave]), "a wave before is not done"
        with lock:
            running[wave] -= 1
            ended.append(number)
        return -number

    every = range(len(PARTS.pieces))
    assert over(PARTS, every, True, work) == [-number for number in every]
    assert sorted(ended) == list(every)


def test_what_gains_nothing_by_threads_is_done_by_the_caller():
    set_process(threads=3)
    every = range(len(PARTS.pieces))
    assert set(over(PARTS, every, False, lambda number: threading.get_ident())) == {threading.get_ident()}


@pytest.mark.parametrize("parallel", [True, False])
def test_of_nothing_there_is_nothing(parallel):
    assert over(PARTS, [], parallel, lambda number: number) == []
