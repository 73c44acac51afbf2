"""Sines of the kernels, and that all of them compile for a GPU which need not be there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")
tl = pytest.importorskip("triton.language")

from tinc_codec.backends.triton import sine  # noqa: E402


@triton.jit
def _both(phases, sines, cosines, COUNT: tl.constexpr):
    place = tl.arange(0, COUNT)
    s, c = sine._sine_cosine(tl.load(phases + place))
    tl.store(sines + place, s)
    tl.store(cosines + place, c)


def both(phases):
    given = torch.as_tensor(phases, dtype=torch.float32)
    sines, cosines = torch.empty_like(given), torch.empty_like(given)
    _both[1,](given, sines, cosines, COUNT=len(given))
    return given.double().numpy(), sines.numpy(), cosines.numpy()


@pytest.mark.parametrize("reach", [0.8, 10.0, 300.0, 8000.0])
def test_sine_and_cosine_are_those_of_libm_over_many_turns(reach):
    exact, sines, cosines = both(np.random.default_rng(0).uniform(-reach, reach, 2**12))
    assert np.abs(sines - np.sin(exact)).max() < 2e-7
    assert np.abs(cosines - np.cos(exact)).max() < 2e-7


def test_quarters_of_a_turn_and_what_is_no_number():
    exact, sines, cosines = both(np.arange(-32, 32) * np.pi / 4)
    assert np.abs(sines - np.sin(exact)).max() < 2e-7
    assert np.abs(cosines - np.cos(exact)).max() < 2e-7
    with np.errstate(invalid="ignore"):
        _, sines, cosines = both([np.nan, np.inf, -np.inf, 0.0])
    assert np.isnan(sines[:3]).all()
    assert np.isnan(cosines[:3]).all()
    assert (sines[3], cosines[3]) == (0, 1)


def test_kernels_compile_for_a_gpu_and_keep_activations_in_registers(tmp_path):
    root = Path(__file__).parents[3]
    settings = os.environ | {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    command = [sys.executable, str(Path(__file__).with_name("compiled.py")), "80", "2", "64", "16", "16"]
    found = json.loads(subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout)
    assert len(found) == 6
    for name, taken in found.items():
        assert taken["stack"] == 0, name
        assert taken["shared"] <= 2**16, name
