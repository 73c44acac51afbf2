"""What blocks of a volume foretell of its residual."""

import numpy as np
import pytest

from tests.encoding.residual.test_encode import domain, smooth
from tinc_codec.encoding.residual.encode import encode
from tinc_codec.encoding.residual.foretell import foretold, of_differences
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.residual.lattice import Quantiser


@pytest.mark.parametrize("width", [5, 25, 61])
def test_bits_are_foretold_from_blocks(width):
    values = smooth((48, 64, 64))
    volume = Volume(domain(2000), values, None, None)
    bits = 8 * len(encode(volume, Quantiser(width)).section) / values.size
    assert foretold(volume, Quantiser(width)) == pytest.approx(bits, rel=0.3, abs=0.02)


@pytest.mark.parametrize("width", [1, 3, 9])
def test_plain_differences_take_no_less_than_half_of_what_noise_takes(width):
    noise = np.rint(1000 + np.random.default_rng(0).normal(0, 20, (24, 40, 40)))
    volume = Volume(domain(2000), noise, None, None)
    bits = 8 * len(encode(volume, Quantiser(width)).section) / noise.size
    assert 0.55 * of_differences(volume, Quantiser(width)) < bits < of_differences(volume, Quantiser(width)) + 0.1


@pytest.mark.parametrize("shape", [(1,), (2, 2), (3,), (2, 3, 1, 2)])
def test_small_volumes_have_few_differences_or_none(shape):
    volume = Volume(domain(2000), np.arange(np.prod(shape), dtype=float).reshape(shape), None, None)
    assert of_differences(volume, Quantiser(1)) == 0
    assert of_differences(Volume(domain(2000), volume.values, None, volume.values), Quantiser(1)) == 0
