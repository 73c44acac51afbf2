"""Shallow levels under coefficients: there where they pay, and nowhere else."""

import math

import numpy as np
import pytest

from tinc_codec import decode, inspect, metrics
from tinc_codec.config import Config
from tinc_codec.encoding import networks
from tinc_codec.encoding.encode import encode
from tinc_codec.encoding.within_budget import Budgeted
from tinc_codec.phantom import light_sheet


def psnr(volume, stream):
    return metrics.psnr(volume, decode(stream), float(np.ptp(volume)))


def surface(shape=(28, 36, 32)):
    """A curved surface between two grey values, and a little noise."""
    z, y, x = (np.indices(shape).T / (np.array(shape) - 1) * 2 - 1).T
    clean = 2000 + 900 * np.tanh(8 * (z + 0.5 * np.sin(2 * x) - 0.4 * np.cos(2 * y) - 0.1))
    return np.rint(clean + np.random.default_rng(0).normal(0, 4, shape)).astype("u2")


@pytest.mark.parametrize("target", [{"ratio": 60}, {"psnr": 46}])
def test_from_effort_4_networks_are_there_where_they_pay(target):
    pytest.importorskip("torch")
    given = surface()
    alone, more = (encode(given, Config(effort=effort, **target)) for effort in (3, 4))
    assert inspect(more).kind == "sine tree and detail"
    if "ratio" in target:
        assert len(more) <= given.nbytes / 60
        assert psnr(given, more) > psnr(given, alone) + 0.5
    else:
        assert psnr(given, more) >= 46
        assert len(more) < 0.9 * len(alone)


def test_where_a_probe_says_no_the_stream_is_that_of_coefficients_alone():
    pytest.importorskip("torch")
    noise = np.random.default_rng(0).normal(20000, 2000, (16, 24, 20)).astype("u2")
    for target in ({"psnr": 25}, {"ratio": 40}):
        alone, more = (encode(noise, Config(effort=effort, **target)) for effort in (3, 4))
        assert more == alone


def test_networks_that_a_probe_promised_too_much_of_are_left_out(monkeypatch):
    pytest.importorskip("torch")
    volume = light_sheet((20, 32, 26), seed=4)
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 4, 0))
    monkeypatch.setattr(networks, "PROMISING", -100.0)
    monkeypatch.setattr(networks, "FORETELLING", -100.0)
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(8, 30, 10))
    for target in ({"ratio": 60}, {"psnr": 35}):
        alone, more = (encode(volume, Config(effort=effort, **target)) for effort in (3, 4))
        assert more == alone


def test_a_tree_of_several_levels_may_be_asked_for_under_coefficients(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(networks, "PROMISING", -100.0)
    monkeypatch.setattr(networks, "FORETELLING", -100.0)
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 4, 0))
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(8, 10, 10))
    monkeypatch.setattr(Budgeted, "_better", lambda self, one, other: other)
    stream = encode(surface(), Config(ratio=20, effort=4, levels=2))
    assert [level.nodes for level in inspect(stream).levels] == [1, 8]
    assert len(stream) <= surface().nbytes / 20


def test_steps_see_as_many_voxels_as_a_window_has(monkeypatch):
    windows = pytest.importorskip("tinc_codec.encoding.fit.windows").Windows
    of, seen = windows.of, []

    def spied(*given):
        seen.append(math.prod(of(*given).shape))
        return of(*given)

    monkeypatch.setattr(windows, "of", spied)
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 2, 0))
    monkeypatch.setattr(networks, "PROMISING", -np.inf)
    monkeypatch.setattr(networks, "FORETELLING", -np.inf)
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(4, 3, 3))
    given = surface((16, 20, 18))
    for voxels in (given.size // 4, given.size):
        monkeypatch.setattr(networks, "WINDOW", voxels)
        encode(given, Config(ratio=20, effort=4))
        assert voxels / 2 < seen[-1] <= voxels


def test_networks_that_nobody_asked_for_and_that_fail_leave_the_coefficients(monkeypatch):
    from tinc_codec.errors import TrainingError

    trainings = [pytest.importorskip(f"tinc_codec.encoding.fit.{name}") for name in ("training", "under_coefficients")]
    failed = []

    def fail(*_):
        failed.append(True)
        raise TrainingError("it diverged")

    for training in trainings:
        monkeypatch.setattr(training, "fit", fail)
    given = surface()
    for target in ({"ratio": 60}, {"psnr": 46}, {"max_error": 3}):
        failed.clear()
        stream = encode(given, Config(effort=4, **target))
        assert failed or "max_error" in target
        assert inspect(stream).kind in ("detail", "residual", "detail and residual")
        assert len(stream) <= given.nbytes / 4


@pytest.mark.parametrize("scale", [1e-250, 1e240])
def test_networks_under_coefficients_of_very_small_and_large_numbers(scale, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 2, 0))
    monkeypatch.setattr(networks, "PROMISING", -np.inf)
    monkeypatch.setattr(networks, "FORETELLING", -np.inf)
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(4, 3, 3))
    monkeypatch.setattr(Budgeted, "_better", lambda self, one, other: other)
    given = surface((16, 20, 18)).astype("f8")
    plain, scaled = (encode(given * factor, Config(ratio=20, effort=4)) for factor in (1.0, scale))
    assert inspect(scaled).kind == inspect(plain).kind == "sine tree and detail"
    assert np.abs(decode(scaled) / scale - given).max() < 2 * np.abs(decode(plain) - given).max() + 1
