"""A ratio is a budget: nearly all of it is used, never more, whatever predicts the samples."""

import subprocess
import sys

import numpy as np
import pytest

from tinc_codec import TINCCodec, decode, inspect, metrics
from tinc_codec.config import Config
from tinc_codec.encoding import networks
from tinc_codec.encoding.encode import encode
from tinc_codec.encoding.within_budget import Budgeted
from tinc_codec.phantom import light_sheet

RATIOS = [8, 32, 100]


@pytest.fixture(scope="module")
def volume():
    return light_sheet((40, 64, 50), seed=4)


def psnr(volume, stream):
    return metrics.psnr(volume, decode(stream), float(np.ptp(volume.astype(float))))


@pytest.mark.parametrize("effort", [1, 3])
@pytest.mark.parametrize("ratio", RATIOS)
def test_nearly_all_of_a_budget_is_used_and_never_more(volume, ratio, effort):
    stream = TINCCodec(ratio=ratio, effort=effort).encode(volume)
    assert inspect(stream).kind == "detail"
    assert 0.97 * volume.nbytes / ratio <= len(stream) <= volume.nbytes / ratio


def test_more_bytes_are_nearer(volume):
    reached = [psnr(volume, TINCCodec(ratio=ratio).encode(volume)) for ratio in RATIOS]
    assert reached == sorted(reached, reverse=True)


WITHOUT_TORCH = """
import sys
import numpy as np, tinc_codec
sys.modules["torch"] = None
volume = np.random.default_rng(0).normal(100, 9, (20, 30, 40)).cumsum(2).astype("u2")
for effort in (1, 3, 9):
    stream = tinc_codec.TINCCodec(ratio=20, effort=effort).encode(volume)
    assert tinc_codec.inspect(stream).kind == "detail"
"""


def test_without_torch_every_effort_works():
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)


@pytest.mark.parametrize(("share", "kind"), [(0, "detail"), (0.4, "sine tree and detail"), (1, "sine tree")])
def test_a_share_of_the_bytes_is_for_networks(volume, share, kind):
    pytest.importorskip("torch")
    info = inspect(encode(volume, Config(ratio=40, effort=1, network_share=share)))
    assert info.kind == kind
    assert info.stored_bytes <= volume.nbytes / 40
    if share == 0.4:
        networks_bytes = sum(info.sections.get(name, 0) for name in ("tree", "layers", "weights", "weight_lanes"))
        assert 0.25 < networks_bytes / info.stored_bytes < 0.45


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
    for given, target in ((noise, {"psnr": 25}), (light_sheet((20, 32, 26), seed=4), {"ratio": 40})):
        alone, more = (encode(given, Config(effort=effort, **target)) for effort in (3, 4))
        assert more == alone


def test_networks_that_a_probe_promised_too_much_of_are_left_out(monkeypatch):
    pytest.importorskip("torch")
    volume = light_sheet((20, 32, 26), seed=4)
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 4, 0))
    monkeypatch.setattr(networks, "PROMISING", -100.0)
    monkeypatch.setitem(networks.LADDER, 4, (networks.Training(8, 30, 10),))
    for target in ({"ratio": 60}, {"psnr": 35}):
        alone, more = (encode(volume, Config(effort=effort, **target)) for effort in (3, 4))
        assert more == alone


def test_a_tree_of_several_levels_may_be_asked_for_under_coefficients(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(networks, "PROMISING", -100.0)
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 4, 0))
    monkeypatch.setitem(networks.LADDER, 4, (networks.Training(8, 10, 10),))
    monkeypatch.setattr(Budgeted, "_better", lambda self, one, other: other)
    stream = encode(surface(), Config(ratio=20, effort=4, levels=2))
    assert [level.nodes for level in inspect(stream).levels] == [1, 8]
    assert len(stream) <= surface().nbytes / 20


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


def test_a_hole_takes_a_mask_and_no_coefficients():
    volume = light_sheet((40, 64, 50), seed=4) + np.uint16(3000)
    z, y, x = np.indices(volume.shape)
    volume[y * y + x * x + 200 * np.sin(z / 3) * np.sin(x / 2) < 1500] = 0
    stream = TINCCodec(ratio=40).encode(volume)
    info = inspect(stream)
    assert "exact_in_context" in info.sections
    assert ((decode(stream) == 0) == (volume == 0)).all()
    assert len(stream) <= volume.nbytes / 40
    assert info.quality.low == 0  # what was not asked to be exact counts


def test_a_budget_too_small_for_anything_gives_the_smallest_stream_and_says_so(volume, caplog):
    stream = TINCCodec(ratio=20000).encode(volume)
    assert len(stream) < 200
    assert "instead of the 12 of ratio 20000" in caplog.text


@pytest.mark.parametrize("scale", [1e-250, 1e240])
def test_networks_under_coefficients_of_very_small_and_large_numbers(scale, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 2, 0))
    monkeypatch.setattr(networks, "PROMISING", -np.inf)
    monkeypatch.setitem(networks.LADDER, 4, (networks.Training(4, 3, 3),))
    monkeypatch.setattr(Budgeted, "_better", lambda self, one, other: other)
    given = surface((16, 20, 18)).astype("f8")
    plain, scaled = (encode(given * factor, Config(ratio=20, effort=4)) for factor in (1.0, scale))
    assert inspect(scaled).kind == inspect(plain).kind == "sine tree and detail"
    assert np.abs(decode(scaled) / scale - given).max() < 2 * np.abs(decode(plain) - given).max() + 1
