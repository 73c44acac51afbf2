import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.quantiser import SUMS, Quantiser, Tally, costs_of
from tinc_codec.detail.tables import TOKENS, class_tables

COSTS = costs_of(class_tables(np.zeros((3, CLASSES), int)))


def quantised(values, shift=0, classes=None):
    coefficients = np.array(values, np.float32)
    tally = Tally.of(1)
    kinds = np.full(len(values), 30, np.uint8) if classes is None else classes
    numbers = Quantiser(coefficients, np.array([1.0]), COSTS).numbers(coefficients, kinds, 0, shift, tally)
    return numbers, tally


def test_costs_are_those_of_a_code():
    assert COSTS.shape == (CLASSES, TOKENS)
    shares = 2.0 ** -(COSTS - np.where(np.arange(TOKENS) > 0, 1, 0))
    assert np.allclose(shares.sum(1), 1)


@given(st.lists(st.floats(-1000, 1000, width=32), min_size=1, max_size=50))
def test_numbers_are_the_nearest_or_the_next_towards_zero(values):
    numbers, tally = quantised(values)
    sizes = np.abs(np.array(values, np.float32)).astype(float)
    assert (np.abs(numbers) <= np.floor(sizes + 0.5)).all()
    assert ((np.abs(numbers) >= np.floor(sizes - 0.5)) | (numbers == 0)).all()
    assert (numbers * np.array(values) >= 0).all()
    assert tally.histogram.sum() == len(values)


@given(st.lists(st.floats(-1000, 1000, width=32), min_size=1, max_size=50), st.integers(0, 5))
def test_a_tally_knows_the_error_with_its_centres(values, shift):
    numbers, tally = quantised(values, shift)
    one, more = tally.centres()
    sizes = np.abs(np.array(values, np.float32)).astype(float)
    centres = np.array([0, one, more])[np.minimum(np.abs(numbers), 2)]
    assert np.isclose(tally.squares()[0], ((sizes - np.abs(numbers) - centres) ** 2).sum(), rtol=1e-6, atol=1e-3)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=5))
def test_tallies_count_as_often_as_their_weights_say(weights):
    tallies = [quantised([number + 0.4, 3.0])[1] for number in range(len(weights))]
    total = Tally.total(tallies, np.array(weights))
    assert np.allclose(total.histogram, sum(w * one.histogram for w, one in zip(weights, tallies, strict=True)))
    assert np.allclose(total.sums, sum(w * one.sums for w, one in zip(weights, tallies, strict=True)))
    assert total.sums.shape == (1, SUMS)
