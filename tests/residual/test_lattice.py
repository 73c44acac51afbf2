"""A tile's lattice: differences as steps, and borders that mirror what is inside."""

import numpy as np
import pytest

from tinc_codec.residual.interlace import REACH
from tinc_codec.residual.lattice import Lattice, Quantiser


@pytest.mark.parametrize("width", [1, 2, 7, 8])
def test_differences_are_rounded_to_the_nearest_step_or_towards_zero(width):
    differences = np.arange(-50.0, 51)
    nearest = Quantiser(width).steps(differences)
    assert np.abs(differences - nearest * width).max() <= width / 2
    assert (nearest == -nearest[::-1]).all()
    cheaper = Quantiser(width, 0.3).steps(differences)
    assert (np.abs(cheaper) <= np.abs(nearest)).all()
    assert (np.abs(differences - cheaper * width) < width).all()


@pytest.mark.parametrize("shape", [(1,), (2, 3), (1, 5, 4)])
def test_a_border_mirrors_what_is_inside(shape):
    base = np.random.default_rng(0).normal(size=shape)
    lattice = Lattice.begun(base, None)
    assert (lattice.values == np.pad(base, REACH, mode="reflect")).all()
    assert not lattice.errors.any()
