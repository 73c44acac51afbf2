import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.bench.test_objects import blobs
from tinc_codec.bench.data import open_image
from tinc_codec.bench.objects import Kept, Overlap
from tinc_codec.bench.suggestion import Option, Suggestion, suggest


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
    settings = [(option.setting, option.value) for option in suggestion.options]
    bounds = [float(f"{times * suggestion.noise:.3g}") for times in (4, 2, 1)]
    assert settings == [
        ("ratio", 64),
        ("ratio", 16),
        ("psnr", 45),
        *(("max_error", bound) for bound in bounds),
        ("max_error", 0),
    ]
    for option in suggestion.options:
        if option.setting == "max_error":
            assert option.max_error <= option.value
    lossless = suggestion.options[-1]
    assert (lossless.max_error, lossless.psnr, lossless.blobs.f1, lossless.keeps) == (0, math.inf, 1, True)


def test_it_is_a_document(suggestion):
    document = json.loads(json.dumps(suggestion.as_json(), allow_nan=False))
    assert document["recommended"]["setting"] == "max_error"
    assert document["options"][-1]["psnr"] is None
    assert document["raw_bytes"] == 16 * 40 * 48 * 2


def an_option(setting, value, stored, f1, dice=1.0, bias=0.0):
    both = round(1000 * f1 / (2 - f1))
    kept = Kept(both, 1000 - both, 0)
    segmented = Overlap(round(1000 * dice), 1000, 1000)
    return Option(setting, value, f"{setting} {value:g}", 10_000, stored, 1.0, 0.1, 40.0, value, kept, segmented, bias)


def of(suggestion, *options, **changes):
    return Suggestion(changes.get("image", suggestion.image), ("0:1",), changes.get("noise", 5.0), 1, options)


def test_the_smallest_bound_that_keeps_is_recommended(suggestion):
    ratio, lossless = an_option("ratio", 64, 100, 0.999), an_option("max_error", 0, 5000, 1)
    wide, narrow = an_option("max_error", 20, 500, 0.9), an_option("max_error", 10, 900, 0.99)
    chosen = of(suggestion, ratio, wide, narrow, lossless)
    assert chosen.recommended is narrow  # a ratio bounds nothing, however good it looks on samples
    assert "no voxel is off by more" in chosen.reason
    assert chosen.preview is ratio
    assert of(suggestion, ratio, replace(wide, blobs=narrow.blobs), narrow, lossless).recommended.value == 20


@pytest.mark.parametrize("worse", [{"f1": 0.9}, {"f1": 1, "dice": 0.9}, {"f1": 1, "bias": -3.0}])
def test_where_no_bound_keeps_enough_nothing_may_be_lost(suggestion, worse):
    lossless = an_option("max_error", 0, 5000, 1)
    chosen = of(suggestion, an_option("ratio", 64, 100, 0.5), an_option("max_error", 20, 500, **worse), lossless)
    assert chosen.recommended is lossless
    assert "no bound up to 4 x noise keeps" in chosen.reason


def test_labels_and_what_has_no_noise_stay_exact(suggestion):
    bound, lossless = an_option("max_error", 20, 500, 1), an_option("max_error", 0, 5000, 1)
    label = replace(suggestion.image, exact="a label image")
    assert of(suggestion, bound, lossless, image=label).recommended is lossless
    assert "a label image" in of(suggestion, bound, lossless, image=label).reason
    assert of(suggestion, bound, lossless, noise=0.0).recommended is lossless
    assert "no noise" in of(suggestion, bound, lossless, noise=0.0).reason


def test_measures_without_a_number_are_no_hindrance(suggestion):
    no_objects = {"blobs": Kept(0, 0, 0), "segmented": Overlap(0, 0, 0), "brightness_bias": math.nan}
    nothing = replace(an_option("max_error", 20, 500, 1), **no_objects)
    assert nothing.keeps
    assert nothing.kept == "errors of at most 20"
    assert "in these samples" in an_option("ratio", 64, 100, 1).kept
