"""A chunk's coefficients: within a budget, or the smallest that there is."""

import math

import numpy as np
import pytest

from tinc_codec import Config, TINCCodec, decode, set_process
from tinc_codec.backends import choice
from tinc_codec.decoding.predictors.detail import DetailPredictor
from tinc_codec.detail.goals import Budget, Error, Step
from tinc_codec.encoding.coefficients import possible, sections
from tinc_codec.encoding.prepared import prepare
from tinc_codec.errors import UnreachableGoalError
from tinc_codec.metrics import psnr_of
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.stream.container import Container, Header, ModelKind, Section

VOLUME = np.rint(100 * np.sin(np.indices((12, 20, 20)).sum(0) / 4) + 500).astype("u2")


@pytest.fixture
def chunk():
    return prepare(VOLUME, Config(ratio=8, effort=1))


def decoded(section):
    header = Header(VOLUME.shape, VOLUME.dtype, "C", ModelKind.DETAIL, False)
    return DetailPredictor.parse(Container(header, section), VOLUME.shape).whole()


def test_a_budget_is_that_of_the_payload(chunk):
    section = sections(chunk, Budget(400), TrainingProgress(0))
    assert set(section) == {Section.DETAIL}
    assert 360 <= len(section[Section.DETAIL]) <= 400


def test_a_budget_too_small_gives_the_mean(chunk):
    smallest = sections(chunk, Budget(10), TrainingProgress(0))
    assert smallest == sections(chunk, Step(math.inf), TrainingProgress(0))
    assert set(np.unique(decoded(smallest)).tolist()) <= {499, 500, 501}


def test_an_error_that_cannot_be_reached_is_not_promised(chunk):
    with pytest.raises(UnreachableGoalError):
        sections(chunk, Error(1e-12), TrainingProgress(0))


def test_what_lies_above_is_taken_off_first(chunk):
    alone = sections(chunk, Step(4.0), TrainingProgress(0))
    on_top = sections(chunk, Step(4.0), TrainingProgress(0), VOLUME)
    assert len(on_top[Section.DETAIL]) < len(alone[Section.DETAIL]) / 4
    assert np.abs(decoded(alone).astype(int) - VOLUME).max() < 12


def test_whoever_watches_may_stop_it(chunk):
    class Stopping(TrainingProgress):
        def check(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sections(chunk, Step(4.0), Stopping(0))


@pytest.mark.parametrize(("scale", "can"), [(1.0, True), (1e200, True), (1e300, False), (1e-300, False)])
def test_extreme_samples_have_no_coefficients(scale, can):
    assert possible(prepare(np.array([1.0, 2.0]) * scale, Config(ratio=8))) == can


@pytest.mark.parametrize(("dtype", "target"), [("u2", {"ratio": 12}), ("f4", {"psnr": 30}), ("u2", {"max_error": 40})])
def test_targets_are_kept_where_a_device_encodes_and_any_decoder_gives_the_same(monkeypatch, target, dtype):
    torch = pytest.importorskip("torch")
    from tinc_codec.backends.torch import inference

    worked = []
    real = torch.cat
    monkeypatch.setattr(torch, "cat", lambda *given, **more: worked.append(True) or real(*given, **more))
    monkeypatch.setattr(choice, "LEAST_ON_DEVICE", 1)
    monkeypatch.setattr(inference, "find_device", lambda _: torch.device("cpu"))
    volume = (VOLUME + np.random.default_rng(0).normal(0, 10, VOLUME.shape))[:9, :14].astype(dtype)
    set_process(device="cuda:0")
    stream = TINCCodec(effort=1, **target).encode(volume)
    assert worked
    found = []
    for decoder in ("numpy", "numba"):
        set_process(device="cpu", decoder=decoder)
        found.append(decode(stream))
    assert found[0].tobytes() == found[1].tobytes()
    error = found[0].astype(float) - volume
    if "ratio" in target:
        assert len(stream) <= volume.nbytes / 12
    elif "psnr" in target:
        assert psnr_of(np.sqrt(np.mean(error**2)), float(np.ptp(volume))) >= 30
    else:
        assert np.abs(error).max() <= 40
