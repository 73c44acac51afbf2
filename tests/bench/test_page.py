import math
import re
from dataclasses import replace

import numpy as np

from tests.bench.trials import a_trial
from tinc_codec.bench.fidelity import Reference
from tinc_codec.bench.page import COLUMNS, best, page


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


def test_pictures_of_little(study):
    """One goal, one axis, no peer, nothing that is finite."""
    reference = Reference.of(np.random.default_rng(9).normal(0, 1, 300).astype("f4"), 1.0)
    alone = (a_trial(reference, "psnr 40", "tinc, effort 1", 100, 0.0),)
    small = replace(study, reference=reference, trials=alone, left_out=(), crop=(slice(0, 300),))
    text = page(small)
    assert len(re.findall("data:image/png;base64,", text)) == 4
    assert "Left out" not in text
