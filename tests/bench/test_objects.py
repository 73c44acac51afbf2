import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinc_codec.bench.objects import Detector, Kept, Objects, Overlap, brightness_bias, kept_blobs, otsu, overlap

RNG = np.random.default_rng(2)
CENTRES = np.array([(8, 8, 8), (8, 24, 30), (20, 10, 28), (22, 30, 12)])


def blobs(centres, shape=(30, 40, 40), height=500.0, noise=5.0):
    """Gaussian blobs of size 2 on a noisy background."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    volume = 100 + RNG.normal(0, noise, shape) if noise else np.full(shape, 100.0)
    for centre in centres:
        volume = volume + height * np.exp(-((grid - centre) ** 2).sum(-1) / 8)
    return volume.astype("f4")


def found(positions, size=2.0):
    return {size: np.array(positions).reshape(-1, 3)}


def test_blobs_are_found_where_they_are_and_noise_is_none():
    volume = blobs(CENTRES)
    for positions in Detector.of(volume, 5).blobs(volume).values():
        assert sorted(map(tuple, positions.tolist())) == sorted(map(tuple, CENTRES.tolist()))
    empty = blobs([])
    assert sum(map(len, Detector.of(empty, 5).blobs(empty).values())) == 0


@pytest.mark.parametrize("volume", [np.zeros((20, 20, 20), "u2"), np.full((30, 30), 7.5, "f4"), np.ones(50, "i4")])
def test_flat_volumes_have_no_blobs(volume):
    assert sum(map(len, Detector.of(volume, 0).blobs(volume).values())) == 0


@pytest.mark.parametrize("factor", [1e-3, 1.0, 30.0])
def test_the_detector_follows_the_units(factor):
    volume = blobs(CENTRES)
    scaled = Detector.of(volume * factor, 5 * factor).blobs(volume * factor)
    assert {size: len(positions) for size, positions in scaled.items()} == dict.fromkeys((1.5, 2.0, 3.0), len(CENTRES))


def test_blobs_that_fade_are_lost_and_new_ones_are_added():
    volume = blobs(CENTRES, noise=5)
    detector = Detector.of(volume, 5)
    fewer, more = blobs(CENTRES[:3]), blobs([*CENTRES, (15, 20, 20)])
    before = detector.blobs(volume)
    assert kept_blobs(before, detector.blobs(volume)) == Kept(12, 0, 0)
    assert kept_blobs(before, detector.blobs(fewer)) == Kept(9, 3, 0)
    assert kept_blobs(before, detector.blobs(more)) == Kept(12, 0, 3)


def test_a_pair_is_near_and_each_is_in_one_at_most():
    assert kept_blobs(found([(5, 5, 5)]), found([(7, 7, 6)])) == Kept(1, 0, 0)  # 3 away
    assert kept_blobs(found([(5, 5, 5)]), found([(7, 7, 8)])) == Kept(0, 1, 1)  # 4.1 away; the radius is 3.5
    assert kept_blobs(found([(5, 5, 5), (5, 5, 6)]), found([(5, 5, 5)])) == Kept(1, 1, 0)
    # greedy pairing would join the second with the first, and leave the others alone
    assert kept_blobs(found([(0, 0, 0), (0, 0, 3)]), found([(0, 0, 3), (0, 0, 6)])) == Kept(2, 0, 0)
    assert kept_blobs(found([]), found([(1, 1, 1)])) == Kept(0, 0, 1)
    assert kept_blobs(found([(1, 1, 1)]), found([])) == Kept(0, 1, 0)


def test_shares_of_blobs():
    kept = Kept(6, 2, 4)
    assert (kept.recall, kept.precision, kept.f1) == (0.75, 0.6, pytest.approx(2 * 0.75 * 0.6 / 1.35))
    assert Kept(1, 2, 3) + Kept(4, 5, 6) == Kept(5, 7, 9)
    assert all(map(math.isnan, (Kept(0, 0, 0).recall, Kept(0, 1, 0).precision, Kept(0, 0, 0).f1)))
    assert Kept(0, 1, 0).f1 == 0


POSITIONS = st.lists(st.tuples(*[st.integers(0, 9)] * 3), max_size=12)


@settings(max_examples=50)
@given(POSITIONS, POSITIONS)
def test_pairing_counts_every_blob_once_and_in_either_direction(a, b):
    kept = kept_blobs(found(a), found(b))
    assert (kept.both + kept.lost, kept.both + kept.added) == (len(a), len(b))
    turned = kept_blobs(found(b), found(a))
    assert (turned.both, turned.lost, turned.added) == (kept.both, kept.added, kept.lost)


def test_overlap_of_segments():
    a = np.zeros((4, 10), "u1")
    a[:, :5] = 200
    b = np.roll(a, 1, axis=1)
    assert overlap(a, a).dice == 1
    assert overlap(a, b) == Overlap(16, 20, 20)
    assert overlap(a, b).dice == 0.8
    assert Overlap(1, 2, 3) + Overlap(4, 5, 6) == Overlap(5, 7, 9)
    assert math.isnan(overlap(np.ones((3, 3)), np.ones((3, 3))).dice)


def test_each_volume_has_its_own_threshold():
    a = np.where(np.arange(100) < 50, 10.0, 20.0)
    assert overlap(a, 3 * a + 500).dice == 1
    assert otsu(np.full(9, 4.0)) == 4


def test_objects_leave_out_what_is_small():
    volume = np.zeros((20, 20, 20), "f4")
    volume[2:7, 2:7, 2:7] = 100
    volume[12:17, 12:17, 12:17] = 60
    volume[10, 3, 3] = 100  # smoothed away
    objects = Objects.of(volume)
    assert len(objects.sizes) == 3
    assert objects.sizes.sum() == volume.size
    assert objects.labels[4, 4, 4] != objects.labels[14, 14, 14]


def test_bias_is_over_how_far_objects_stand_out():
    volume = np.full((20, 20, 20), 1000.0)
    volume[4:12, 4:12, 4:12] = 1100
    objects = Objects.of(volume)
    before = objects.means(volume)
    dimmer = np.where(volume > 1000, 1090, 1000)
    stood_out = before[1] - before[0]
    expected = 100 * (objects.means(dimmer)[1] - before[1]) / stood_out
    assert brightness_bias(before, objects.means(dimmer)) == pytest.approx(expected)
    assert -13 < expected < -9
    assert brightness_bias(before, before) == 0
    flat = Objects.of(np.ones((9, 9)))
    assert math.isnan(brightness_bias(flat.means(np.ones((9, 9))), flat.means(np.ones((9, 9)))))
