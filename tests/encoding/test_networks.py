"""Networks are tried where effort and process allow them."""

import itertools

import pytest

from tinc_codec import Config
from tinc_codec.encoding import networks
from tinc_codec.encoding.networks import (
    LADDER,
    PATIENT,
    PROBE,
    TRAINING,
    WINDOW,
    probing,
    worth_a_probe,
)


def test_networks_are_for_the_larger_efforts_and_need_torch(monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: name)
    assert [worth_a_probe(Config(effort=effort)) for effort in (1, 3, 4, 9)] == [False, False, True, True]
    monkeypatch.setattr(networks, "find_spec", lambda _: None)
    assert not worth_a_probe(Config(effort=9))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_probes_and_the_training_in_full_are_all_of_the_work_once(count):
    parts = [*(probing(number, count) for number in range(count)), TRAINING]
    assert parts[0][0] == 0
    assert parts[-1][1] == pytest.approx(1)
    for (_, end), (begin, _) in itertools.pairwise(parts):
        assert end == pytest.approx(begin)


def test_every_effort_with_networks_has_a_training_and_none_takes_less_than_the_one_below():
    assert list(LADDER) == list(range(4, 10))
    assert PATIENT in LADDER
    coarse = 2**12  # voxels of a step on means over cells
    work = [each.width**2 * (coarse * each.coarse + WINDOW * each.fine) for each in LADDER.values()]
    assert work == sorted(work)
    assert all(each.width >= PROBE.width for each in LADDER.values())
