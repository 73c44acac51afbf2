"""Predictions are whole numbers of exact sums, within the domain, and a pass changes its own voxels only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.residual.interlace import REACH, passes
from tinc_codec.residual.lattice import Lattice
from tinc_codec.residual.prediction import (
    PLAIN,
    SPREADS,
    UNIT,
    PassModel,
    expected_error,
    predict,
    spread_terms,
)

SHAPES = st.sampled_from([(9,), (6, 7), (5, 6, 7), (1, 8, 3)])
TOP = 1000


@given(shape=SHAPES, seed=st.integers(0, 2**32), most=st.integers(0, 6))
def test_a_pass_predicts_whole_numbers_and_enters_its_own_voxels(shape, seed, most):
    rng = np.random.default_rng(seed)
    base, lattice, level = rng.integers(0, TOP + 1, shape).astype(np.float64), None, None
    for step in passes(len(shape), 2):
        if step.level != level:
            lattice, level = Lattice.begun(step.lattice(base), lattice), step.level
        if not step.members(base).size:
            continue
        pairs = min(most, len(step.pairs))
        weights = tuple(rng.integers(-300, 300, pairs).tolist())
        model = PassModel(weights, int(rng.integers(-500, 500)), (1,) * SPREADS, 3)
        around = lattice.around(step)
        predicted = predict(around, step, model, TOP)
        assert predicted.shape == step.members(base).shape
        assert (predicted == np.floor(predicted)).all()
        assert 0 <= predicted.min() <= predicted.max() <= TOP
        terms = spread_terms(around, step, predicted, pairs)
        assert len(terms) == SPREADS
        assert expected_error(terms, model) == pytest.approx(3 + sum(terms))
        values = lattice.inner(lattice.values)
        before, inside = values.copy(), np.zeros(values.shape, bool)
        step.odd(inside)[...] = True
        decoded = np.clip(predicted + 5 * rng.integers(-3, 4, predicted.shape), 0, TOP)
        lattice.enter(step, decoded, predicted)
        assert (values[~inside] == before[~inside]).all()
        assert (step.odd(values) == decoded).all()
        assert (step.odd(lattice.inner(lattice.errors)) == np.abs(decoded - predicted)).all()
        assert (lattice.values == np.pad(values, REACH, mode="reflect")).all()


def test_without_pairs_the_base_is_the_prediction_and_with_one_its_mean():
    base = np.arange(17.0) * 10
    coarsest, *_, finest = passes(1, 2)
    coarse, fine = (Lattice.begun(step.lattice(base), None).around(step) for step in (coarsest, finest))
    assert predict(coarse, coarsest, PLAIN[0], TOP).tolist() == base[::4].tolist()
    assert predict(fine, finest, PLAIN[1], TOP).tolist() == base[1::2].tolist()
    assert UNIT == 1024
