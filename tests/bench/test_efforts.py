"""The curve of effort: every effort once, with what it keeps and takes."""

import math

import pytest

from tinc_codec.bench import efforts
from tinc_codec.phantom import light_sheet


def test_every_crop_at_every_effort_up_to_the_last(monkeypatch):
    monkeypatch.setattr(efforts, "BENCHMARK", ("one", "other"))
    monkeypatch.setattr(efforts, "crop", lambda name: light_sheet((16, 24, 20), seed=len(name)))
    points = list(efforts.curves(3))
    assert [(point.crop, point.effort) for point in points] == [(n, e) for n in ("one", "other") for e in (1, 2, 3)]
    assert all(point.seconds > 0 and 20 < point.psnr < 80 for point in points)
    assert points[0].megabytes == pytest.approx(16 * 24 * 20 * 2 / 1e6)


def test_a_line_says_decibels_seconds_and_speed():
    point = efforts.Point("a crop", 3, 40.125, 2.0, 3.0)
    assert point.line.split() == ["a", "crop", "effort", "3", "40.12", "dB", "2.00", "s", "1.50", "MB/s"]
    assert efforts.Point("a crop", 3, math.inf, 2.0, 3.0).as_json()["psnr"] is None
