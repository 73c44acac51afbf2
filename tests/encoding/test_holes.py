"""A hole is one value in regions; noise around a value is none."""

import numpy as np
import pytest

from tinc_codec.config import Config
from tinc_codec.encoding.holes import find, foretold
from tinc_codec.encoding.prepared import prepare

RNG = np.random.default_rng(0)
NOISE = RNG.normal(500, 20, (20, 24, 28))


def hole_of(volume, **settings):
    return find(prepare(volume, Config(ratio=20, **settings)))


@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", ">f8"])
def test_a_region_of_one_value_is_found_with_the_height_of_its_edge(dtype):
    volume = NOISE.astype(dtype)
    volume[5:15, 4:20] = 100
    hole = hole_of(volume)
    assert (hole.places == (volume == 100)).all()
    assert hole.jump == pytest.approx(400, rel=0.05)


def test_a_mask_of_zeros_that_are_negative_too_is_one_hole():
    volume = NOISE.astype("f4")
    volume[5:15] = 0.0
    volume[5:9] = -0.0
    assert np.count_nonzero(hole_of(volume).places) == 10 * 24 * 28


def test_speckle_and_noise_have_none():
    speckled = NOISE.astype("u2")
    speckled[RNG.random(NOISE.shape) < 0.4] = 0
    assert hole_of(speckled) is None
    assert hole_of(NOISE.astype("u2")) is None
    assert hole_of((NOISE / 20).astype("u1")) is None  # many of each value, all over


def test_a_few_voxels_and_all_of_them_are_none():
    volume = NOISE.astype("f4")
    volume[0, 0, :9] = 7
    assert hole_of(volume) is None
    assert hole_of(np.full((9, 9), 7, "u2")) is None


def test_what_must_be_exact_anyway_is_not_looked_at():
    volume = NOISE.astype("f4")
    volume[:8] = -1
    volume[12:16] = 0
    assert (hole_of(volume, exact_values=-1).places == (volume == 0)).all()


def test_a_hole_is_left_out_where_its_edge_would_cost_more_than_its_mask():
    sharp, low = NOISE.astype("u2"), NOISE.astype("u2")
    sharp[5:15, 4:20] = 60_000
    low[5:15, 4:20] = 500
    for volume, left_out in ((sharp, True), (low, False), (NOISE.astype("u2"), False)):
        chunk = prepare(volume, Config(ratio=20))
        chosen = foretold(chunk, volume.nbytes // 20)
        assert (chosen is not chunk) == left_out
        assert not left_out or (~chosen.modelled == (volume == 60_000)).all()
    assert foretold(prepare(sharp, Config(ratio=20)), 100).modelled is None  # its mask takes too much of it
