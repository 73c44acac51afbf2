"""Rounding of the decoding kernel, which is NumPy's for every float32."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")
tl = pytest.importorskip("triton.language")

from tinc_codec.backends.triton import integers  # noqa: E402
from tinc_codec.tree.inference import TURN  # noqa: E402


@triton.jit
def _nearest(given, rounded, COUNT: tl.constexpr):
    place = tl.arange(0, COUNT)
    tl.store(rounded + place, integers._rounded(tl.load(given + place)))


def nearest(values):
    given = torch.as_tensor(values)
    rounded = torch.empty_like(given)
    _nearest[1,](given, rounded, COUNT=len(given))
    return rounded.numpy()


def test_ties_go_to_the_even_neighbour():
    values = np.arange(-(2**11), 2**11, dtype=np.float32) / 2
    assert (nearest(values) == np.rint(values)).all()


@pytest.mark.parametrize("exponent", [0, 10, 21, 22, 23, 24, 30])
def test_any_magnitude_is_rounded_as_numpy_does(exponent):
    values = np.random.default_rng(exponent).uniform(-(2.0**exponent), 2.0**exponent, 2**12).astype(np.float32)
    values[:4] = np.nextafter(np.float32([0.5, -0.5, 1.5, 2.5]), np.float32(0))
    assert (nearest(values) == np.rint(values)).all()


def test_the_table_is_the_reference_decoders():
    assert integers._TURN.value == TURN
