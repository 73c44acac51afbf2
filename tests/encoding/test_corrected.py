"""Residuals that correct a predictor, so that a goal is kept."""

import math

import numpy as np
import pytest

from tinc_codec import decode, metrics
from tinc_codec.config import Config
from tinc_codec.encoding.corrected import Corrected
from tinc_codec.encoding.goal import goal
from tinc_codec.encoding.prepared import prepare
from tinc_codec.runtime.progress import TrainingProgress

VOLUME = np.rint(
    1000 + 200 * np.sin(np.indices((20, 40, 36)).sum(0) / 11) + np.random.default_rng(0).normal(0, 8, (20, 40, 36))
).astype("u2")


def corrected(**target):
    chunk = prepare(VOLUME, Config(effort=1, **target))
    return Corrected(chunk, goal(chunk), TrainingProgress(1))


def test_a_residual_alone_keeps_a_largest_error():
    got = corrected(max_error=6).stream({}, None)
    wrong = np.abs(decode(got.stream).astype(float) - VOLUME)
    assert wrong.max() <= 6
    assert wrong.max() == got.quality.max_error


def test_a_residual_alone_keeps_a_psnr():
    got = corrected(psnr=45).stream({}, None)
    assert 45 <= metrics.psnr(VOLUME, decode(got.stream), float(np.ptp(VOLUME))) < 46  # steps are whole numbers


@pytest.mark.parametrize(("error", "plainly"), [(1, True), (100, False)])
def test_bits_are_foretold_unless_they_are_plainly_too_many(error, plainly):
    bits = corrected(max_error=error).foretold(None, 0.8)
    assert math.isinf(bits) == plainly
    assert plainly or 0 < bits < 0.8
