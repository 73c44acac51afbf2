"""Every predictor gives the same samples in each way, as the protocol says."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import random_detail, random_stream
from tinc_codec.decoding.predictors import PREDICTORS, parse
from tinc_codec.decoding.predictors.protocol import Predictor
from tinc_codec.stream.container import unpack

SHAPE = (6, 9, 11)
RNG = np.random.default_rng(3)
MADE_OF = {
    "sine tree": random_stream(RNG, SHAPE, "u2"),
    "detail": random_detail(RNG, SHAPE, "f4", "C"),
    "sine tree and detail": random_detail(RNG, SHAPE, "i2", "C", above=True),
}


@pytest.fixture(scope="module", params=MADE_OF)
def predictor(request):
    return parse(unpack(MADE_OF[request.param]), SHAPE)


def test_each_has_the_methods_of_the_protocol(predictor):
    assert len(MADE_OF) == len(PREDICTORS)
    for name, method in vars(Predictor).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            names = list(inspect.signature(method).parameters)[1:]
            assert list(inspect.signature(getattr(predictor, name)).parameters) == names, name
    assert predictor.nbytes > 0
    assert predictor.describe().name in MADE_OF


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_products_and_points_are_those_of_the_whole(predictor, seed):
    rng, whole = np.random.default_rng(seed), predictor.whole()
    assert whole.shape == SHAPE
    indices = [rng.integers(0, n, int(rng.integers(1, 5))) for n in SHAPE]
    assert (predictor.at_product(indices) == whole[np.ix_(*indices)]).all()
    points = np.stack([rng.integers(0, n, 7) for n in SHAPE])
    assert (predictor.at_points(points) == whole[tuple(points)]).all()
    nothing = predictor.at_points(np.zeros((3, 0), np.int64))
    assert (nothing.shape, nothing.dtype) == ((0,), whole.dtype)


def test_a_level_has_one_sample_for_each_cell(predictor):
    level = (1, 2, 0)
    centres = [(np.arange(-(-n // 2**k)) + 0.5) * 2**k - 0.5 for n, k in zip(SHAPE, level, strict=True)]
    coarse = predictor.at_level(level, [np.minimum(c, n - 1) for c, n in zip(centres, SHAPE, strict=True)])
    assert (coarse.shape, coarse.dtype) == ((3, 3, 11), predictor.whole().dtype)
