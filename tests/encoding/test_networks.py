"""Networks are tried where effort and process allow them."""

import itertools

import pytest

from tinc_codec import Config
from tinc_codec.encoding import networks
from tinc_codec.encoding.networks import (
    LADDER,
    PATIENT,
    PROBE,
    PROBED,
    TRAINING,
    Training,
    probing,
    trained,
    worth_a_probe,
)


def test_networks_are_for_the_larger_efforts_and_need_torch(monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: name)
    assert [worth_a_probe(Config(effort=effort)) for effort in (1, 3, 4, 9)] == [False, False, True, True]
    monkeypatch.setattr(networks, "find_spec", lambda _: None)
    assert not worth_a_probe(Config(effort=9))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_probes_and_the_training_in_full_are_all_of_the_work_once(count):
    budgets = [*(probing(number, count) for number in range(count)), TRAINING]
    ladder = [(0.0, PROBED), *(trained(number, count) for number in range(count))]
    for parts in (budgets, ladder):
        assert parts[0][0] == 0
        assert parts[-1][1] == pytest.approx(1)
        for (_, end), (begin, _) in itertools.pairwise(parts):
            assert end == pytest.approx(begin)


def test_every_effort_with_networks_has_trainings_and_none_takes_less_than_the_one_below():
    assert list(LADDER) == list(range(4, 10))
    assert PATIENT in LADDER
    coarse = 2**12  # voxels of a step on means over cells
    for chunk in (2**15, 2**18, 2**24):
        work = [
            max(each.width**2 * (coarse * each.coarse + each.voxels(chunk) * each.fine) for each in LADDER[effort])
            for effort in LADDER
        ]
        assert work == sorted(work)
    for trainings in LADDER.values():
        assert list(trainings) == sorted(trainings, key=lambda training: training.width)
        assert all(training.width >= PROBE.width for training in trainings)


def test_windows_of_small_chunks_are_smaller_where_a_training_is_short():
    short, long = Training(4, 1, 1, windows=32), Training(4, 1, 1)
    assert [short.voxels(chunk) for chunk in (100, 2**18, 2**19, 2**21)] == [2**13, 2**13, 2**14, 2**15]
    assert [long.voxels(chunk) for chunk in (100, 2**18, 2**21)] == [2**13, 2**15, 2**15]
