import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinc_codec.decoding.overlay import Overlay

masks = hnp.arrays(bool, hnp.array_shapes(max_dims=3, max_side=7))


@given(mask=masks, seed=st.integers(0, 2**32))
def test_every_way_in_enters_the_same_values(mask, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 2**40, int(mask.sum()))
    overlay, whole = Overlay(mask, values), np.zeros(mask.shape, np.int64)
    overlay.on_all(whole)
    assert np.array_equal(whole[mask], values)
    assert not whole[~mask].any()
    indices = tuple(rng.integers(0, n, int(rng.integers(1, 5))) for n in mask.shape)
    part = np.zeros([len(index) for index in indices], np.int64)
    overlay.on_product(part, indices)
    assert np.array_equal(part, whole[np.ix_(*indices)])
    points = tuple(rng.integers(0, n, 6) for n in mask.shape)
    samples = np.zeros(6, np.int64)
    overlay.on_points(samples, points)
    assert np.array_equal(samples, whole[points])


def test_its_memory_counts_the_places():
    mask = np.zeros(100, bool)
    mask[::10] = True
    assert Overlay(mask, np.ones(10, "f4")).nbytes == 100 + 40 + 80
