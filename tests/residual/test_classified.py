"""Contexts and tokens of voxels: the compiled ones are the reference's, and they are counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import set_process
from tinc_codec.backends.numba import backend as compiled
from tinc_codec.residual import tokens
from tinc_codec.residual.classified import classified


@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 1, 100, 5000, 40_000]),
    limits=st.lists(st.integers(0, 2**20), max_size=30, unique=True).map(sorted),
    largest=st.sampled_from([1, 9, 1000, 2**33 - 1]),
    threads=st.sampled_from([1, 2]),
)
def test_the_compiled_classes_are_those_of_the_reference(seed, count, limits, largest, threads):
    set_process(threads=threads)
    rng, thresholds = np.random.default_rng(seed), np.array(limits, np.int64)
    expected = np.where(rng.random(count) < 0.3, rng.choice([0, *limits], count), rng.normal(0, 2**19, count))
    steps = rng.integers(-largest, largest + 1, count)
    one, two = (who(expected, steps, thresholds) for who in (classified, compiled.classified))
    assert (one.contexts == two.contexts).all()
    assert all((a == b).all() for a, b in zip(one.numbers, two.numbers, strict=True))
    assert (one.counts == two.counts).all()
    assert one.counts.shape == (len(limits) + 1, tokens.MOST_TOKENS)
    assert one.counts.sum() == count
    assert (one.counts.sum(0) == np.bincount(one.numbers.tokens, minlength=tokens.MOST_TOKENS)).all()


def test_a_threshold_that_is_reached_counts():
    got = classified(np.array([4.0, 5.0, 6.0]), np.array([0, -1, 1]), np.array([5]))
    assert got.contexts.tolist() == [0, 1, 1]
    assert got.numbers.tokens.tolist() == [0, 1, 2]
