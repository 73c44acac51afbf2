"""Samples from a section: whole, in boxes, at levels, and from damaged bytes."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import smooth
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Step, encode
from tinc_codec.detail.plan import lengths
from tinc_codec.errors import CorruptStreamError, SelectionError

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
