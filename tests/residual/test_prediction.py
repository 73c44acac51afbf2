"""Predictions are whole numbers of exact sums, within the domain, and a pass changes its own voxels only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.residual.interlace import passes
from tinc_codec.residual.prediction import (
    PLAIN,
    SPREADS,
    UNIT,
    PassModel,
    expected_error,
    predict,
    spread_terms,
    start,
    update,
)

SHAPES = st.sampled_from([(9,), (6, 7), (5, 6, 7), (1, 8, 3)])
TOP = 1000


@given(shape=SHAPES, seed=st.integers(0, 2**32), most=st.integers(0, 6))
def test_a_pass_predicts_whole_numbers_and_enters_its_own_voxels(shape, seed, most):
    rng = np.random.default_rng(seed)
    known = start(rng.integers(0, TOP + 1, shape).astype(np.float64))
    for step in passes(len(shape), 2):
        if not step.members(known.base).size:
            continue
        pairs = min(most, len(step.pairs))
        weights = tuple(rng.integers(-300, 300, pairs).tolist())
        model = PassModel(weights, int(rng.integers(-500, 500)), (1,) * SPREADS, 3)
        predicted, around = predict(known, step, model, TOP)
        assert predicted.shape == step.members(known.values).shape
        assert (predicted == np.floor(predicted)).all()
        assert 0 <= predicted.min() <= predicted.max() <= TOP
        terms = spread_terms(known, step, predicted, around, pairs)
        assert len(terms) == SPREADS
        assert expected_error(terms, model) == pytest.approx(3 + sum(terms))
        before, inside = known.values.copy(), np.zeros(shape, bool)
        step.members(inside)[...] = True
        update(known, step, predicted, rng.integers(-3, 4, predicted.shape).astype(float), 5, TOP)
        assert (known.values[~inside] == before[~inside]).all()
        assert (step.members(known.errors) == np.abs(step.members(known.values) - predicted)).all()


def test_without_pairs_the_base_is_the_prediction_and_with_one_its_mean():
    base = np.arange(17.0) * 10
    coarsest, *_, finest = passes(1, 2)
    assert predict(start(base), coarsest, PLAIN[0], TOP)[0].tolist() == base[::4].tolist()
    assert predict(start(base), finest, PLAIN[1], TOP)[0].tolist() == base[1::2].tolist()
    assert UNIT == 1024
