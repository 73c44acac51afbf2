"""A ratio is a budget: nearly all of it is used, never more, whatever predicts the samples."""

import subprocess
import sys

import numpy as np
import pytest

from tinc_codec import TINCCodec, decode, inspect, metrics
from tinc_codec.config import Config
from tinc_codec.encoding.encode import encode
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
