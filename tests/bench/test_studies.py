"""Studies measure what they say, on the crops that are there."""

import inspect

import numpy as np
import pytest

from tinc_codec import TINCCodec
from tinc_codec.bench import studies
from tinc_codec.bench.crops import CROPS

VOLUME = np.random.default_rng(0).normal(500, 20, (8, 24, 24)).astype("u2")


def test_one_run_of_ours_is_measured(monkeypatch):
    monkeypatch.setattr(studies, "crop", lambda name: VOLUME)
    row = studies.measure("cells", TINCCodec(max_error=3, effort=1), "a setting")
    assert (row.crop, row.codec, row.setting, row.raw_bytes) == ("cells", "tinc", "a setting", VOLUME.nbytes)
    assert 0 < row.max_error <= 3
    assert row.ratio == VOLUME.nbytes / row.stored_bytes
    assert "TINCCodec(" in studies.measure("cells", TINCCodec(max_error=0)).setting


@pytest.mark.parametrize("name", studies.STUDIES)
def test_every_study_is_made_from_an_effort_when_it_is_asked_for(name):
    results = studies.STUDIES[name](1)
    assert inspect.isgenerator(results)  # nothing is measured yet
    results.close()


def test_what_is_studied_is_there():
    assert {name for name, _ in studies.FIGURES} <= set(CROPS)
    assert ("auto", "auto") in studies.ALLOCATIONS
    assert len(set(studies.ALLOCATIONS)) == len(studies.ALLOCATIONS)
