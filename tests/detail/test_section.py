import contextlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import plans, smooth
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Budget, Error, Step, encode
from tinc_codec.detail.plan import Group, Plan, lengths
from tinc_codec.detail.plans import candidates
from tinc_codec.detail.section import most_passes, passes
from tinc_codec.errors import CorruptStreamError, SelectionError, UnreachableGoalError

SHAPES = st.lists(st.integers(1, 18), min_size=1, max_size=4).map(tuple)


@settings(max_examples=20)
@given(SHAPES, st.integers(0, 100), st.data())
def test_parts_and_levels_are_those_of_the_whole_by_both_decoders(shape, seed, data):
    step = Step(data.draw(st.sampled_from([0.5, 4.0, 40.0])))
    section = encode(smooth(shape, seed) * 100, step, compiled)
    detail = Detail.parse(section, shape, compiled)
    whole, box = detail.whole(), []
    level = data.draw(st.tuples(*(st.integers(0, 5) for _ in shape)))
    for n in shape:
        begin = data.draw(st.integers(0, n - 1))
        box.append((begin, data.draw(st.integers(begin + 1, n))))
    assert np.array_equal(detail.box(tuple(box)), whole[tuple(slice(*ends) for ends in box)])
    coarse = detail.level(level)
    assert coarse.shape == tuple(lengths(n, k)[-1] for n, k in zip(shape, level, strict=True))
    cut = tuple((begin, n) for n, begin in zip(coarse.shape, np.array(coarse.shape) // 2, strict=True))
    assert np.array_equal(detail.box(cut, level), coarse[tuple(slice(*ends) for ends in cut)])
    plain = Detail.parse(section, shape, reference)
    assert np.array_equal(plain.level(level), coarse)
    assert np.array_equal(plain.whole(), whole)


def test_a_fine_step_gives_the_volume_back():
    volume = smooth((11, 20, 17))
    detail = Detail.parse(encode(volume, Step(1e-3), compiled), volume.shape, compiled)
    assert np.abs(detail.samples(detail.whole()) - volume).max() < 2e-3


@pytest.mark.parametrize("value", [0.0, -3.25, 7e9])
def test_a_constant_comes_back(value):
    volume = np.full((5, 6, 7), value)
    detail = Detail.parse(encode(volume, Step(1.0), compiled), volume.shape, compiled)
    assert np.array_equal(detail.samples(detail.whole()), volume)


@pytest.mark.parametrize("size", [400, 1500, 6000])
def test_a_budget_is_used_and_kept(size):
    section = encode(smooth((32, 40, 36), noise=0.3), Budget(size), compiled)
    assert 0.97 * size <= len(section) <= size


def test_a_budget_that_is_too_small_is_refused():
    with pytest.raises(UnreachableGoalError, match="too few"):
        encode(smooth((32, 40, 36)), Budget(20), compiled)


@pytest.mark.parametrize("rms", [0.02, 0.1, 0.3])
def test_an_error_is_reached_and_hardly_undercut(rms):
    volume = smooth((24, 40, 36), noise=0.3)
    detail = Detail.parse(encode(volume, Error(rms), compiled), volume.shape, compiled)
    measured = np.sqrt(np.mean((detail.samples(detail.whole()) - volume) ** 2))
    assert rms * 10 ** (-0.05 / 20) <= measured <= rms


def test_levels_are_means():
    volume = smooth((32, 32, 32), noise=0)
    detail = Detail.parse(encode(volume, Step(1e-3), compiled), volume.shape, compiled)
    means = volume.reshape(8, 4, 8, 4, 8, 4).mean((1, 3, 5))
    assert np.abs(detail.samples(detail.level((2, 2, 2))) - means).max() < 0.25 * np.ptp(means)
    some = detail.samples(detail.level((0, 2, 3)))
    assert np.abs(some - volume.reshape(32, 8, 4, 4, 8).mean((2, 4))).max() < 0.25 * np.ptp(volume)
    constant = np.full((9, 30, 14), 1000.0)
    constant[0, 0, 0] = 1000.5
    detail = Detail.parse(encode(constant, Step(1e-3), compiled), constant.shape, compiled)
    assert np.abs(detail.samples(detail.level((3, 3, 3))) - 1000).max() < 0.1


def test_every_cut_and_flip_is_an_error_or_samples():
    volume = smooth((9, 16, 15))
    section = encode(volume, Step(0.05), compiled)
    for end in range(len(section)):
        with pytest.raises(CorruptStreamError):
            Detail.parse(section[:end], volume.shape, compiled).whole()
    rng = np.random.default_rng(0)
    for _ in range(150):
        changed = bytearray(section)
        changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
        with contextlib.suppress(CorruptStreamError):
            assert Detail.parse(bytes(changed), volume.shape, compiled).whole().shape == volume.shape


@pytest.mark.parametrize(
    "box", [((0, 3),), ((0, 3), (0, 3), (2, 2)), ((0, 3), (0, 3), (0, 9)), ((-1, 3), (0, 3), (0, 3))]
)
def test_a_box_outside_is_refused(box):
    detail = Detail.parse(encode(smooth((8, 8, 8)), Step(0.1), compiled), (8, 8, 8), compiled)
    with pytest.raises(SelectionError):
        detail.box(box)


def test_inspection_counts_the_bytes_of_pieces():
    detail = Detail.parse(encode(smooth((40, 70, 66), noise=0.2), Step(0.05), compiled), (40, 70, 66), compiled)
    described = detail.describe()
    assert sum(described["bytes"].values()) == sum(map(len, detail.codes))
    assert detail.nbytes > sum(map(len, detail.codes))


@given(plans(40))
def test_plans_that_are_made_are_within_the_limit_of_passes(plan):
    tiles = {band: math.prod(rung.tiles[1:]) for rung in plan.rungs for band in rung.bands}
    each = 2 ** sum(n > 1 for n in plan.shape[1:])
    assert passes(plan) == each * sum(tiles[number] * band.shape[0] for number, band in enumerate(plan.bands))
    for candidate in candidates(plan.shape):
        assert passes(candidate) <= most_passes(plan.shape)


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1, 3_000_000),
        (1, 1, 2000, 2000),
        (1, 3, 3, 300_000),
        (5000, 6, 9, 8),
        (40, 2, 256, 256),
        (1, 128, 256, 256),
    ],
)
def test_tiles_are_long_where_axes_are_few_or_short(shape):
    for plan in candidates(shape):
        assert passes(plan) <= most_passes(shape)
        assert math.prod(min(plan.tile, n) for n in shape[1:]) >= min(16**3, math.prod(shape[1:]))


def test_more_passes_than_make_sense_are_refused():
    volume = np.random.default_rng(0).normal(size=(64, 64, 64))
    plan = Plan((1, 64, 64, 64), (Group((0,), 0), Group((1, 2, 3), 1)), 4)
    section = encode(volume, Step(0.5), compiled, plan=plan)
    with pytest.raises(CorruptStreamError, match="32768 passes, where at most 12288 make sense"):
        Detail.parse(section, volume.shape, compiled)
