"""A pass of a tile coded: by the reference and compiled the same, and within the bound."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba import backend as compiled
from tinc_codec.residual import lattice as reference
from tinc_codec.residual.interlace import REACH, passes
from tinc_codec.residual.lattice import Lattice, PassCoding, Quantiser
from tinc_codec.residual.prediction import SPREADS, PassModel

SHAPES = st.lists(st.integers(1, 11), min_size=1, max_size=4).map(tuple).filter(lambda shape: math.prod(shape) < 1500)
TOP = 900


@given(
    shape=SHAPES,
    seed=st.integers(0, 2**32),
    width=st.integers(1, 40),
    rounding=st.sampled_from([0.5, 0.4]),
    masked=st.booleans(),
)
def test_the_compiled_pass_is_that_of_the_reference(shape, seed, width, rounding, masked):
    rng, quantiser = np.random.default_rng(seed), Quantiser(width, rounding)
    base, target = (rng.integers(0, TOP + 1, shape).astype(np.float64) for _ in range(2))
    mask = rng.random(shape) < 0.7 if masked else None
    level, each = None, [None, None]
    for step in passes(len(shape), 3):
        if step.level != level:
            each, level = [Lattice.begun(step.lattice(base), coarser) for coarser in each], step.level
        if not step.members(base).size:
            continue
        pairs = min(int(rng.integers(0, 25)), len(step.pairs))
        weights, spreads = (tuple(rng.integers(-300, 300, n).tolist()) for n in (pairs, SPREADS))
        model = PassModel(weights, int(rng.integers(-500, 500)), spreads, int(rng.integers(-9, 9)))
        inside = None if mask is None else step.members(mask)
        one, two = (
            who.code_pass(PassCoding(step, model, quantiser, TOP), lattice, step.members(target), inside)
            for who, lattice in zip((reference, compiled), each, strict=True)
        )
        assert (one.expected == two.expected).all()
        assert (one.steps == two.steps).all()
        assert (each[0].values == each[1].values).all()
        assert (each[0].errors == each[1].errors).all()
        decoded = step.odd(each[0].inner(each[0].values))
        if rounding == 0.5:
            off = np.abs(decoded - step.members(target))
            assert off[... if inside is None else inside].max(initial=0) <= width / 2


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
