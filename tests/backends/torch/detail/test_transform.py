"""The transform on a torch device: the numbers of the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinc_codec.detail import lifting, reference, scale

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch.detail import transform  # noqa: E402  # needs torch

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
INTEGERS = st.integers(-(2**31), 2**31 - 1)


@given(data=st.data(), length=st.integers(1, 9), other=st.integers(1, 4), axis=st.integers(0, 1))
def test_halves_are_joined_as_by_the_reference(data, length, other, axis):
    shapes = [[other, other], [other, other]]
    shapes[0][axis], shapes[1][axis] = (length + 1) // 2, length // 2
    low, high = (data.draw(hnp.arrays(np.int32, shape, elements=INTEGERS)) for shape in shapes)
    for device in DEVICES:
        joined = transform.inverse(torch.from_numpy(low).to(device), torch.from_numpy(high).to(device), axis)
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
        got = transform.coefficients(torch.from_numpy(numbers).to(device), step, one, more)
        assert (got.cpu().numpy() == expected).all()


@given(
    st.lists(st.integers(1, 13), min_size=4, max_size=4),
    st.integers(0, 3),
    st.sampled_from(["f4", "f8"]),
    st.integers(0, 2**32 - 1),
)
def test_halves_are_split_as_by_the_reference_to_the_bit(shape, axis, dtype, seed):
    samples = (np.random.default_rng(seed).normal(size=shape) * 1000).astype(dtype)
    for device in DEVICES:
        halves = transform.forward(torch.from_numpy(samples).to(device), axis)
        for half, expected in zip(halves, reference.forward(samples, axis), strict=True):
            assert half.cpu().numpy().tobytes() == np.ascontiguousarray(expected).tobytes()


@given(st.lists(st.integers(1, 9), min_size=4, max_size=4), st.integers(0, 2**32 - 1), st.floats(0.01, 3))
def test_costs_are_those_of_the_reference(shape, seed, inverse):
    values = (np.random.default_rng(seed).standard_t(2, size=shape) * 2).astype(np.float32)
    for device in DEVICES:
        got = transform.cost(torch.from_numpy(values).to(device), inverse)
        assert got == pytest.approx(reference.cost(values, inverse), rel=1e-3)
