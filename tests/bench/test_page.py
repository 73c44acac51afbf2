import math
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.bench.test_objects import CENTRES, blobs
from tinc_codec.bench import plots
from tinc_codec.bench.comparison import LOSSLESS, LeftOut, Trial, middle_plane
from tinc_codec.bench.data import Image
from tinc_codec.bench.data_study import DataStudy
from tinc_codec.bench.fidelity import Reference
from tinc_codec.bench.page import COLUMNS, best, page
from tinc_codec.jobs.sources import ArrayReader

RNG = np.random.default_rng(9)


def a_trial(reference, goal, codec, size, error):
    volume = reference.volume
    decoded = volume + RNG.normal(0, error, volume.shape).astype("f4") if error else volume
    return Trial(goal, codec, volume.nbytes, size, 0.5, 0.02, reference.compare(decoded), middle_plane(decoded))


@pytest.fixture(scope="module")
def study():
    reference = Reference.of(blobs(CENTRES), 5.0)
    trials = []
    for number, goal in enumerate(("ratio 16", "ratio 64")):
        for codec, error in (("tinc, effort 1", 4), ("tinc, effort 3", 3), ("AV1", 5), ("SPERR", 8), ("zfp", 20)):
            trials.append(a_trial(reference, goal, codec, 12_000 // 4**number, error * 2**number))
    trials.append(a_trial(reference, LOSSLESS, "Blosc", 90_000, 0))
    image = Image("a <b>.zarr", ArrayReader(reference.volume))
    crop = tuple(slice(0, n) for n in reference.volume.shape)
    left = LeftOut("ratio 64", "SZ3", "its coarsest is too <large>")
    return DataStudy(image, crop, 3, reference, trials[0].fidelity, tuple(trials), (left,))


def test_the_page_holds_everything_and_needs_nothing_else(study):
    text = page(study)
    assert len(re.findall("data:image/png;base64,", text)) == 4
    for word in ("ratio 16", "ratio 64", "lossless", "AV1", "a &lt;b&gt;.zarr", "SZ3 at ratio 64", "too &lt;large&gt;"):
        assert word in text, word
    assert "3 samples are not finite" in text
    assert "another exposure, with as much noise again" in text
    assert "<b>" not in text
    assert "http" not in text
    assert text.count('class="ours"') == 4
    row = next(row for row in text.split("<tr") if "tinc, effort 3" in row)
    assert row.count('class="best"') >= 5


def test_what_is_best_in_a_column(study):
    trials = [trial for trial in study.trials if trial.goal == "ratio 16"]
    columns = {column.name: column for column in COLUMNS}
    assert best(trials, columns["PSNR dB"]) == {1}
    assert best(trials, columns["max error"]) == {min(range(5), key=lambda n: trials[n].fidelity.max_error)}
    assert best(trials, columns["bytes"]) == set()
    same = [replace(trial, fidelity=trials[0].fidelity) for trial in trials]
    assert best(same, columns["SSIM"]) == set(range(5))


def test_what_has_no_number_is_a_dash(study):
    nothing = replace(study.trials[0].fidelity, brightness_bias=math.nan)
    column = next(column for column in COLUMNS if column.name == "bias %")
    assert column.text(replace(study.trials[0], fidelity=nothing)) == "-"


def test_slices_show_tinc_and_the_best_three(study):
    assert [trial.codec for trial in plots.best_of(study, "ratio 64")] == ["tinc, effort 3", "AV1", "SPERR", "zfp"]


def test_pictures_of_little(study):
    """One goal, one axis, no peer, nothing that is finite."""
    reference = Reference.of(RNG.normal(0, 1, 300).astype("f4"), 1.0)
    alone = (a_trial(reference, "psnr 40", "tinc, effort 1", 100, 0.0),)
    small = replace(study, reference=reference, trials=alone, left_out=(), crop=(slice(0, 300),))
    text = page(small)
    assert len(re.findall("data:image/png;base64,", text)) == 4
    assert "Left out" not in text
