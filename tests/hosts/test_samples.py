"""What an array's samples tell of it."""

import numpy as np

from tests.hosts.labels import SHAPE, objects
from tinc_codec.hosts.samples import Sample, sample_of, sampled, why_not_amounts


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
