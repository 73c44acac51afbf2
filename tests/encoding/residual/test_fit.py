"""Predictors that are fitted: what is a sum of neighbours is found to be one."""

import numpy as np
import pytest

from tinc_codec.encoding.residual.fit import PAIRS, VOXELS_PER_WEIGHT, Sample, fit
from tinc_codec.residual.interlace import passes
from tinc_codec.residual.lattices import Lattices, Tile, surroundings
from tinc_codec.residual.prediction import FAR, NEAR, PLAIN, UNIT, predict

TOP = 10_000


def sampled(values, base, step, most=4000):
    """Lattices of a pass whose coarser voxels are known, and a sample of its own."""
    known = base.copy()
    for earlier in passes(values.ndim, 1):
        if earlier == step:
            break
        earlier.members(known)[...] = earlier.members(values)
    tile = Tile((slice(None),) * values.ndim, known, values, None)
    lattices = Lattices([tile], step)
    (lattice,) = lattices.each
    lattice.inner(lattice.values)[...], lattice.inner(lattice.errors)[...] = known, 0
    lattice.mirror()
    return lattices, Sample.of(lattices, lattices.members(step), most)


@pytest.mark.parametrize("name", ["ramp", "model"])
def test_what_neighbours_or_the_model_say_is_predicted(name):
    rng = np.random.default_rng(0)
    *_, step = passes(2, 1)
    values = np.indices((90, 90)).sum(0) * 20.0 + (0 if name == "ramp" else rng.integers(0, 3000, (90, 90)))
    base = np.zeros(values.shape) if name == "ramp" else values + 7
    lattices, sample = sampled(values, base, step)
    model = fit(step, lattices, sample, 1, TOP)
    wrong = np.abs(predict(lattices.each[0].around(step), step, model, TOP) - step.members(values))
    assert np.median(wrong) <= 1
    assert 1 < model.pairs <= min(PAIRS, len(step.pairs), sample.count // VOXELS_PER_WEIGHT)


def test_where_little_is_to_be_corrected_few_pairs_are_used():
    rng = np.random.default_rng(2)
    *_, step = passes(2, 1)
    values = np.rint(1000 + rng.normal(0, 20, (120, 120)))
    lattices, sample = sampled(values, np.full(values.shape, 1000.0), step)
    pairs = [fit(step, lattices, sample, width, TOP).pairs for width in (1, 101, 301)]
    assert pairs[0] == min(PAIRS, len(step.pairs))
    assert pairs[0] > pairs[1] > pairs[2] == 2


def test_all_pairs_are_used_where_noise_is_coded_and_where_few_of_many_are_off():
    rng = np.random.default_rng(3)
    *_, step = passes(2, 1)
    few = np.where(rng.random((160, 160)) < 0.05, 1400.0, 1000.0)  # an eighth of them would be too few
    for values in (np.rint(1000 + rng.normal(0, 20, few.shape)), few):
        lattices, sample = sampled(values, np.full(values.shape, 1000.0), step, 6400)
        assert fit(step, lattices, sample, 101 if values is few else 1, TOP).pairs == min(PAIRS, len(step.pairs))


def test_a_pass_of_few_voxels_has_a_plain_model():
    first, *_, step = passes(2, 1)
    values = np.indices((12, 12)).sum(0) * 20.0
    lattices, sample = sampled(values, np.zeros(values.shape), step)
    assert fit(step, lattices, sample, 1, TOP) == PLAIN[1]  # the mean of two neighbours, which is right
    lattices, sample = sampled(values, values, step)
    assert fit(step, lattices, sample, 1, TOP) in PLAIN
    assert fit(step, lattices, None, 1, TOP) == PLAIN[0]
    assert not fit(first, lattices, sample, 1, TOP).pairs


def test_of_noise_the_expected_error_is_its_size():
    rng = np.random.default_rng(1)
    *_, step = passes(2, 1)
    values = np.rint(1000 + rng.normal(0, 50, (120, 120)))
    lattices, sample = sampled(values, np.full(values.shape, 1000.0), step)
    model = fit(step, lattices, sample, 1, TOP)
    assert isinstance(model.floor, int)
    around = surroundings(lattices, sample.places, step.pairs)
    near, far = (np.abs(around.near[: 2 * count] - 1000).sum(0).mean() for count in (NEAR, FAR))
    expected = (model.floor + model.spread[0] * near + model.spread[1] * far + model.spread[4] * 1000 / 16) / UNIT
    assert 30 < expected < 60  # the mean of a normal distribution's magnitude is 40
