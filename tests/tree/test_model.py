"""A model that would not evaluate exactly is refused."""

import dataclasses

import numpy as np
import pytest

from tests.models import random_model
from tinc_codec.errors import CorruptStreamError


def test_sums_beyond_exact_float32_are_refused():
    model = random_model(np.random.default_rng(0), (8, 8), "u2", empty=0.0)
    model.layers[0].weights[:] = 2047
    model.layers[0].biases[:] = 2047
    object.__setattr__(model.layers[0], "multiplier", 2**22)
    with pytest.raises(CorruptStreamError, match="beyond exact float32"):
        model.check()


def test_an_offset_outside_the_range_is_refused():
    model = random_model(np.random.default_rng(0), (8, 8), "u2")
    for field in ("offset", "low"):
        with pytest.raises(CorruptStreamError, match="is not in the range"):
            dataclasses.replace(model, **{field: np.uint16(65535)}).check()
