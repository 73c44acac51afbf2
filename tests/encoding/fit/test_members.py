"""What becomes of chunks that are trained as one batch."""

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.models import random_tree
from tinc_codec.encoding.fit.members import Outcomes, kind_of


class StopError(Exception):
    pass


def test_whose_watch_raises_is_told_nothing_more_and_keeps_its_first_outcome():
    heard = [], []

    def stopping(fraction):
        heard[1].append(fraction)
        raise StopError

    outcomes = Outcomes([heard[0].append, stopping])
    outcomes.watch(0.1)
    assert outcomes.open == [0]
    outcomes.watch(0.2)
    outcomes.end(1, "too late")
    outcomes.end(0, "done")
    assert heard == ([0.1, 0.2], [0.1])
    assert outcomes.open == []
    first, second = outcomes.all
    assert first == "done"
    assert isinstance(second, StopError)


def test_trees_are_of_a_kind_where_their_levels_and_shapes_are_the_same():
    def tree(seed, shape=(17, 20)):
        return random_tree(np.random.default_rng(seed), shape, empty=0.0)

    assert kind_of(tree(1)) == kind_of(tree(1))
    assert kind_of(tree(1)) != kind_of(tree(2))
    assert kind_of(tree(1)) != kind_of(tree(1, (17, 21)))
