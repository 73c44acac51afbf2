"""Coefficients that keep a root mean square error, and nearly use it."""

import numpy as np
import pytest

from tinc_codec import decode
from tinc_codec.config import Config
from tinc_codec.encoding import holes, mean_error
from tinc_codec.encoding.goal import goal
from tinc_codec.encoding.prepared import prepare
from tinc_codec.runtime.progress import TrainingProgress

VOLUME = np.rint(
    1000 + 200 * np.sin(np.indices((24, 40, 36)).sum(0) / 11) + np.random.default_rng(0).normal(0, 8, (24, 40, 36))
).astype("u2")


def chunk_and_error(volume, psnr):
    chunk = prepare(volume, Config(psnr=psnr, effort=1))
    return chunk, goal(chunk).rmse


@pytest.mark.parametrize("psnr", [35, 40])
def test_an_error_is_kept_and_nearly_used(psnr):
    chunk, rmse = chunk_and_error(VOLUME, psnr)
    got = mean_error.of_coefficients(chunk, {}, None, rmse, TrainingProgress(1))
    reached = np.sqrt(np.mean((decode(got.stream).astype(float) - VOLUME) ** 2))
    assert 0.98 * rmse < reached <= rmse


def test_of_a_chunk_with_and_without_its_hole_the_smaller_is_taken():
    volume = VOLUME.copy()
    z, y, x = np.indices(volume.shape)
    volume[(z - 12) ** 2 + (y - 20) ** 2 + (x - 18) ** 2 > 100 + 20 * np.sin(y / 2)] = 0
    chunk, rmse = chunk_and_error(volume, 45)
    smaller = mean_error.smaller(chunk, {}, None, rmse, TrainingProgress(1))
    ways = [each for each in (chunk, holes.left_out(chunk, rmse)) if each is not None]
    streams = [mean_error.of_coefficients(each, {}, None, rmse, TrainingProgress(1)) for each in ways]
    assert len(ways) == 2
    assert len(smaller.stream) == min(len(each.stream) for each in streams if each is not None)


def test_none_reaches_what_is_finer_than_the_integers():
    chunk, _ = chunk_and_error(VOLUME, 40)
    assert mean_error.of_coefficients(chunk, {}, None, 1e-9, TrainingProgress(1)) is None
