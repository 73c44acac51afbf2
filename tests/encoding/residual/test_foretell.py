"""What blocks of a volume foretell of its residual."""

import pytest

from tests.encoding.residual.test_encode import domain, smooth
from tinc_codec.encoding.residual.encode import encode
from tinc_codec.encoding.residual.foretell import foretold
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.residual.lattice import Quantiser


@pytest.mark.parametrize("width", [5, 25, 61])
def test_bits_are_foretold_from_blocks(width):
    values = smooth((48, 64, 64))
    volume = Volume(domain(2000), values, None, None)
    bits = 8 * len(encode(volume, Quantiser(width)).section) / values.size
    assert foretold(volume, Quantiser(width)) == pytest.approx(bits, rel=0.3, abs=0.02)
