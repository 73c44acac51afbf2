"""Each kind of model has a predictor, and a chunk without one has none."""

import numpy as np
import pytest

from tests.models import random_detail, random_stream
from tinc_codec import TINCCodec
from tinc_codec.decoding.predictors import PREDICTORS, parse
from tinc_codec.decoding.predictors.detail import DetailPredictor
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.stream.container import ModelKind, unpack

RNG = np.random.default_rng(2)
SHAPE = (9, 16, 17)


def test_every_kind_of_model_is_read_by_one():
    assert set(PREDICTORS) == set(ModelKind) - {ModelKind.NONE}
    assert parse(unpack(TINCCodec(max_error=0).encode(np.zeros(SHAPE, "u1"))), SHAPE) is None


@pytest.mark.parametrize(
    ("stream", "kind", "above"),
    [
        (random_stream(RNG, SHAPE, "u2"), SineTree, False),
        (random_detail(RNG, SHAPE, "u2", "C"), DetailPredictor, False),
        (random_detail(RNG, SHAPE, "u2", "C", above=True), DetailPredictor, True),
    ],
)
def test_a_chunk_gets_the_one_of_its_kind(stream, kind, above):
    predictor = parse(unpack(stream), SHAPE)
    assert type(predictor) is kind
    assert isinstance(getattr(predictor, "above", None), SineTree) == above
