"""Samples of coefficients on a torch device; their bytes are compared in `tests/decoding/test_tensors.py`."""

import numpy as np
import pytest

from tests.models import random_detail
from tinc_codec.decoding.chunk import Chunk

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch.detail import samples  # noqa: E402  # needs torch


@pytest.mark.parametrize(("dtype", "there"), [("u1", True), ("<f4", True), ("f8", True), ("u8", False), ("f2", False)])
def test_what_the_device_cannot_give_exactly_is_left_to_the_host(dtype, there):
    predictor = Chunk.of(random_detail(np.random.default_rng(0), (9, 10), dtype, "C")).predictor
    assert samples.possible(predictor.detail, predictor.low.dtype) == there
