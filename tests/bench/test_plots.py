import io
import sys

import matplotlib.image
import numpy as np
import pytest

from tinc_codec.bench import plots
from tinc_codec.errors import MissingDependencyError


def test_slices_show_tinc_and_the_best_three(study):
    assert [trial.codec for trial in plots.best_of(study, "ratio 64")] == ["tinc, effort 3", "AV1", "SPERR", "zfp"]


def test_at_a_goal_that_nobody_was_asked_for_nobody_is_best(study):
    assert plots.best_of(study, "ratio 5") == []


def test_a_picture_is_a_png_that_is_not_blank(study):
    picture = matplotlib.image.imread(io.BytesIO(plots.spectrum(study, "ratio 64")))
    assert picture.shape == (480, 900, 4)
    assert np.unique(picture[..., :3].reshape(-1, 3), axis=0).shape[0] > 10


def test_without_matplotlib_it_says_what_to_install(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'tinc-codec\[bench\]'"):
        plots.rate_distortion(study)
