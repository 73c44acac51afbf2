"""Reads are timed in turn, and what stands beside the times is of the stream that was read."""

import math
import time

import numpy as np
import pytest

from tests.models import random_detail, random_stream
from tinc_codec.bench.reads import Read, Run, bound, medians, product_rate


def test_every_run_is_read_as_often_and_prepared_before(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    calls = []
    runs = {
        ("tinc (numpy)", "whole"): Run(lambda: calls.append("a") or "answer", lambda: calls.append("-")),
        ("peer", "whole"): Run(lambda: calls.append("b") or 7),
    }
    times = medians(runs, repeats=2)
    assert {key: answer for key, (answer, _) in times.items()} == dict(zip(runs, ("answer", 7), strict=True))
    assert all(seconds >= 0 for _, seconds in times.values())
    assert "".join(calls) == "ab" + 2 * ("-a-a-a" + "bbb")


def test_a_read_has_its_rate():
    read = Read("brain64", "tinc", "plane", 100, 200, 0.5, 0.25, "a note")
    assert read.rate == 400
    assert read.as_json()["rate"] == 400
    assert "a note" in read.line
    assert "0.2500 of the whole" in read.line


def test_only_networks_have_a_bound_of_multiply_adds():
    volume = np.zeros((9, 16, 17), "u2")
    rng = np.random.default_rng(0)
    assert "multiply-adds a voxel" in bound(random_stream(rng, volume.shape, "u2", empty=0.0), volume)
    assert bound(random_detail(rng, volume.shape, "u2", "C"), volume) == ""


def test_a_product_has_a_rate():
    assert math.isfinite(product_rate(size=8, repeats=1))
    assert product_rate(size=8, repeats=1) > 0


def test_a_level_is_compared_with_means(monkeypatch, tmp_path):
    pytest.importorskip("dask.array")
    import zarr

    from tinc_codec import TINCCodec, zarr_kwargs
    from tinc_codec.bench import reads

    monkeypatch.setattr(reads, "REPEATS", 1)
    volume = np.indices((8, 8, 8)).sum(0).astype("u2")
    zarr.create_array(tmp_path / "a", data=volume, chunks=(8, 8, 8), **zarr_kwargs(TINCCodec(max_error=0)))
    rows = list(reads.pyramid("ramp", volume, tmp_path / "a"))
    assert {row.what for row in rows} == {"1/1", "1/2", "1/4"}
    assert all(("dB to means" in row.note) == (row.what != "1/1") for row in rows)
