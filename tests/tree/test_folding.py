"""Axes of size 1 vanish and the first ones merge: positions in the folded shape are those of NumPy's reshape."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.tree.folding import Folding

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=6).map(tuple)


@given(kept=shapes, seed=st.integers(0, 2**32))
def test_products_and_points_are_those_of_the_reshaped_array(kept, seed):
    rng, folding = np.random.default_rng(seed), Folding(kept)
    values = np.arange(np.prod(kept)).reshape(kept)
    folded = values.reshape(folding.folded)
    indices = [rng.integers(0, n, int(rng.integers(1, 4))) for n in kept]
    part = folded[np.ix_(*folding.product(indices))]
    assert np.array_equal(folding.unfolded(part, indices), values[np.ix_(*indices)])
    points = [rng.integers(0, n, 5) for n in kept]
    assert np.array_equal(folded[folding.points(points)], values[tuple(points)])


@given(kept=shapes)
def test_every_axis_that_is_longer_than_1_is_in_one_group(kept):
    folding = Folding(kept)
    longer = [axis for axis, n in enumerate(kept) if n > 1]
    assert [axis for group in folding.groups for axis in group] == longer
    assert len(folding.groups) == len(folding.folded)


def test_between_rows_that_are_merged_is_nothing():
    folding = Folding((2, 2, 3, 4, 5))
    merged = [axis for group in folding.groups if len(group) > 1 for axis in group]
    fractions = [np.array([0.4]) for _ in folding.kept]
    for group, index in zip(folding.groups, folding.points(fractions), strict=True):
        assert (index[0] == 0.4) == (group[-1] not in merged[:-1])
