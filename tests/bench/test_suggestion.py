import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.bench.test_objects import blobs
from tinc_codec.bench.comparison import Goal
from tinc_codec.bench.data import open_image
from tinc_codec.bench.objects import Kept, Overlap
from tinc_codec.bench.suggestion import Option, Outcome, suggest


@pytest.fixture(scope="module")
def suggestion(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suggestion")
    centres = [(8, 8 + 12 * i, 10 + 12 * j) for i in range(3) for j in range(3)]
    np.save(folder / "a.npy", np.rint(blobs(centres, (16, 40, 48), 400, 6)).astype("u2"))
    seen = []
    made = suggest(open_image(str(folder / "a.npy")), 1, seen.append)
    assert len(seen) == len(made.options)
    return made


def test_noise_is_measured_and_every_setting_tried(suggestion):
    assert suggestion.noise == pytest.approx(6, rel=0.1)
    settings = [(option.goal.option, option.goal.value) for option in suggestion.options]
    bounds = [("max_error", float(f"{times * suggestion.noise:.3g}")) for times in (4, 2, 1)]
    assert settings == [("ratio", 64), ("ratio", 16), ("psnr", 45), *bounds, ("max_error", 0)]
    for option in suggestion.options:
        if option.goal.option == "max_error":
            assert option.outcome.max_error <= option.goal.value
    lossless = suggestion.options[-1].outcome
    assert (lossless.max_error, lossless.psnr, lossless.blobs.f1) == (0, math.inf, 1)
    assert lossless.keeps(suggestion.exposure)


def test_another_exposure_differs_by_its_noise(suggestion):
    data_range = 20 * math.log10(500 / suggestion.noise)
    assert suggestion.exposure.psnr == pytest.approx(data_range, abs=3)
    assert 3 * suggestion.noise < suggestion.exposure.max_error < 6 * suggestion.noise


def test_it_is_a_document(suggestion):
    document = json.loads(json.dumps(suggestion.as_json(), allow_nan=False))
    assert document["recommended"]["setting"] == "max_error"
    assert document["options"][-1]["psnr"] is None
    assert document["raw_bytes"] == 16 * 40 * 48 * 2
    assert 0 < document["another_exposure"]["f1"] <= 1


def an_outcome(f1=1.0, dice=1.0, bias=0.0, error=10.0):
    both = round(1000 * f1 / (2 - f1))
    return Outcome(40.0, error, Kept(both, 1000 - both, 0), Overlap(round(1000 * dice), 1000, 1000), bias)


def an_option(setting, value, stored, f1=1.0, **more):
    return Option(Goal.of(setting, value), 10_000, stored, 1.0, 0.1, an_outcome(f1, error=value, **more))


RATIO, LOSSLESS = an_option("ratio", 64, 100, 0.999), an_option("max_error", 0, 5000)
WIDE, NARROW = an_option("max_error", 20, 500, 0.9), an_option("max_error", 10, 900, 0.99)


def of(suggestion, *options, noise=5.0, exposure=None, image=None):
    exposure = exposure or an_outcome()
    return replace(suggestion, options=options, noise=noise, exposure=exposure, image=image or suggestion.image)


def test_the_smallest_bound_that_keeps_is_recommended(suggestion):
    chosen = of(suggestion, RATIO, WIDE, NARROW, LOSSLESS)
    assert chosen.recommended is NARROW  # a ratio bounds nothing, however good it looks on samples
    assert "no voxel is off by more" in chosen.reason
    assert chosen.preview is RATIO


def test_no_more_need_be_kept_than_another_exposure_keeps(suggestion):
    assert of(suggestion, WIDE, NARROW, LOSSLESS, exposure=an_outcome(0.85)).recommended is WIDE
    dim = an_option("max_error", 20, 500, dice=0.9)
    assert of(suggestion, dim, LOSSLESS, exposure=an_outcome(dice=0.88)).recommended is dim
    assert of(suggestion, dim, LOSSLESS, exposure=an_outcome(f1=0.5)).recommended is LOSSLESS


@pytest.mark.parametrize("worse", [{"f1": 0.9}, {"dice": 0.9}, {"bias": -3.0}])
def test_where_no_bound_keeps_enough_nothing_may_be_lost(suggestion, worse):
    chosen = of(suggestion, RATIO, an_option("max_error", 20, 500, **worse), LOSSLESS)
    assert chosen.recommended is LOSSLESS
    assert "no bound up to 4 x noise keeps" in chosen.reason


def test_labels_and_what_has_no_noise_stay_exact(suggestion):
    bound = an_option("max_error", 20, 500)
    label = of(suggestion, bound, LOSSLESS, image=replace(suggestion.image, exact="a label image"))
    assert label.recommended is LOSSLESS
    assert "a label image" in label.reason
    smooth = of(suggestion, bound, LOSSLESS, noise=0.0)
    assert smooth.recommended is LOSSLESS
    assert "no noise" in smooth.reason


def test_measures_without_a_number_are_no_hindrance():
    nothing = Outcome(40.0, 20.0, Kept(0, 0, 0), Overlap(0, 0, 0), math.nan)
    assert nothing.keeps(nothing)
    assert replace(WIDE, outcome=nothing).kept == "errors of at most 20"
    assert "in these samples" in RATIO.kept
    assert LOSSLESS.kept == "everything"
