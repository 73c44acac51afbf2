"""What an array's samples tell of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hosts.labels import SHAPE, objects
from tinc_codec.hosts.samples import FEW, Sample, sample_of, sampled, why_not_amounts


def test_names_of_objects_are_told_from_amounts():
    rng = np.random.default_rng(0)
    raster = np.unique(objects(32, 200, 0.2), return_inverse=True)[1].reshape(SHAPE)
    for labels in (
        objects(),
        objects(ragged=2.5),
        objects(number=600, ragged=0.3),
        objects().astype("f4"),
        objects().astype("i8") << 40,
        np.where(rng.random(SHAPE) < 0, 0, objects() * (raster % 3 > 0)),
        raster.astype("u2"),
    ):
        assert "names of objects" in why_not_amounts(sample_of(labels), None)
    grid = np.meshgrid(*[np.linspace(0, 3, 32)] * 3, indexing="ij")
    smooth = np.sin(grid[0]) * np.cos(grid[1]) + grid[2]
    for image in (
        (smooth * 60).astype("u1"),
        (smooth * 10_000).astype("u2"),
        smooth.astype("f4"),
        rng.normal(100, 10, SHAPE).astype("u2"),
        rng.poisson(12, SHAPE).astype("u2"),
        np.where(rng.random(SHAPE) < 0.9, 0, rng.normal(300, 30, SHAPE)).astype("u2"),
        np.minimum(rng.normal(60_000, 9000, SHAPE), 65535).astype("u2"),
        np.where(smooth > 1, np.nan, smooth),
    ):
        assert why_not_amounts(sample_of(image), None) is None


def test_classes_and_bounds_that_leave_nothing_are_exact():
    rng = np.random.default_rng(0)
    assert "2 distinct" in why_not_amounts(sample_of((rng.random(SHAPE) > 0.5).astype("u1")), None)
    assert "3 distinct" in why_not_amounts(sample_of(rng.choice([0.0, 0.5, 1.0], SHAPE)), None)
    image = rng.normal(100, 10, SHAPE).astype("u2")
    spread = float(np.ptp(image))
    assert why_not_amounts(sample_of(image), spread / 2 - 1) is None
    assert "half of its range" in why_not_amounts(sample_of(image), spread / 2)
    assert why_not_amounts(Sample(), 1.0) is None


def test_chunks_are_looked_at_until_one_is_an_image():
    rng = np.random.default_rng(0)
    image, dark = rng.normal(100, 10, SHAPE).astype("u2"), np.zeros(SHAPE, "u2")
    looked = []

    def chunks(*given):
        for chunk in given:
            looked.append(chunk)
            yield chunk

    assert why_not_amounts(sampled(chunks(dark, dark, image, dark), None), None) is None
    assert len(looked) == 3
    assert why_not_amounts(sampled(chunks(dark, dark), None), None) is not None
    assert why_not_amounts(sampled(chunks(objects().astype("u2"), objects(seed=4).astype("u2")), None), None)


@pytest.mark.parametrize("dtype", ["u1", "i8", "u8", "f2", "f8", ">i4"])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 4), (1, 1, 1), (3,), (9, 1), (2, 3, 2, 3)])
def test_chunks_of_any_shape_are_looked_at(dtype, shape):
    sample = sample_of(np.full(shape, 7, dtype))
    assert sample == (Sample(frozenset([7]), 7.0, 7.0, sample.names) if 0 not in shape else Sample())
    assert why_not_amounts(sample, 1.0) == (None if 0 in shape else "1 distinct values: classes or flags")


def test_what_is_not_finite_tells_nothing():
    assert sample_of(np.full(SHAPE, np.nan)) == Sample()
    mixed = np.where(np.arange(40) % 2, np.inf, np.arange(40.0))
    assert (sample_of(mixed).low, sample_of(mixed).high) == (0.0, 38.0)
    assert sampled([], None) == Sample()


def test_what_is_around_the_middle_counts_where_that_is_all_one_value():
    chunk = np.zeros((300, 300), "u2")
    chunk[0, :40] = np.arange(40)
    assert len(sample_of(chunk).values) == FEW + 1
    chunk[150, 150] = 9
    assert sample_of(chunk).values == {0, 9}


@given(st.lists(st.lists(st.integers(0, 30), max_size=30), max_size=4))
def test_samples_add_up_in_any_order(chunks):
    samples = [sample_of(np.array(chunk, "i4")) for chunk in chunks]
    total, reverse = sum(samples, Sample()), sum(reversed(samples), Sample())
    assert (total.low, total.high, len(total.values)) == (reverse.low, reverse.high, len(reverse.values))
    joined = [value for chunk in chunks for value in chunk]
    if joined:
        assert (total.low, total.high) == (min(joined), max(joined))
        assert len(total.values) == min(len(set(joined)), FEW + 1)
