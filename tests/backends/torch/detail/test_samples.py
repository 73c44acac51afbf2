"""Coefficients on a torch device: the integers of the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.models import random_detail
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.detail import lifting, scale

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch import detail  # noqa: E402  # needs torch

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
INTEGERS = st.integers(-(2**31), 2**31 - 1)


@given(data=st.data(), length=st.integers(1, 9), other=st.integers(1, 4), axis=st.integers(0, 1))
def test_halves_are_joined_as_by_the_reference(data, length, other, axis):
    shapes = [[other, other], [other, other]]
    shapes[0][axis], shapes[1][axis] = (length + 1) // 2, length // 2
    low, high = (data.draw(hnp.arrays(np.int32, shape, elements=INTEGERS)) for shape in shapes)
    for device in DEVICES:
        joined = detail.inverse(torch.from_numpy(low).to(device), torch.from_numpy(high).to(device), axis)
        assert (joined.cpu().numpy() == lifting.inverse(low, high, axis)).all()


@given(
    numbers=hnp.arrays(np.int32, 20, elements=INTEGERS),
    step=st.integers(1, 2**30),
    one=st.integers(-128, 127),
    more=st.integers(-128, 127),
)
def test_coefficients_are_those_of_the_reference(numbers, step, one, more):
    with np.errstate(over="ignore"):
        expected = scale.coefficients(numbers, step, one, more)
    for device in DEVICES:
        got = detail.coefficients(torch.from_numpy(numbers).to(device), step, one, more)
        assert (got.cpu().numpy() == expected).all()


@pytest.mark.parametrize(("dtype", "there"), [("u1", True), ("<f4", True), ("f8", True), ("u8", False), ("f2", False)])
def test_what_the_device_cannot_give_exactly_is_left_to_the_host(dtype, there):
    predictor = Chunk.of(random_detail(np.random.default_rng(0), (9, 10), dtype, "C")).predictor
    assert detail.possible(predictor.detail, predictor.low.dtype) == there
