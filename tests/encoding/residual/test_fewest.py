"""Steps as wide as an error allows."""

import numpy as np
import pytest

from tinc_codec.encoding.residual.encode import encode
from tinc_codec.encoding.residual.fewest import fewest
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.residual.integer_domain import IntegerDomain, Kind
from tinc_codec.residual.lattice import Quantiser

DOMAIN = IntegerDomain(Kind.INTEGER, np.dtype("u2"), 0, 1, 2000)
VALUES = np.rint(1000 + np.random.default_rng(0).normal(0, 40, (40, 50)))
VOLUME = Volume(DOMAIN, VALUES, None, None)


@pytest.mark.parametrize("rmse", [0.2, 3.0, 12.0])
def test_the_error_is_kept_and_nearly_used(rmse):
    tried = []

    def coded(quantiser):
        tried.append(quantiser.width)
        return encode(VOLUME, quantiser)

    def error(residual):
        return float(np.sqrt(np.mean((residual.values - VALUES) ** 2)))

    best = fewest(DOMAIN, rmse, coded, error, lambda: None)
    assert error(best) <= rmse
    assert len(best.section) <= len(encode(VOLUME, Quantiser(1)).section)
    assert rmse < 1 or error(best) > 0.9 * rmse
    assert len(tried) <= 12
