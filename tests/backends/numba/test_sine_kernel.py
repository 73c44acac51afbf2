"""Sines, cosines and products of a tile's points."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("numba")

from tinc_codec.backends.numba.sine_kernel import (
    LANES,
    TILE,
    add_products,
    sines,
    sines_and_cosines,
    sums,
    sums_times,
)

F = np.float32


def both(phases):
    """Sines and cosines of a tile's phases."""
    one, at = np.ones(1, F), np.asarray(phases, F)
    s, c = np.empty(TILE, F), np.empty(TILE, F)
    sines_and_cosines(one, 0, 1, 1, at, 0, s, 0, c, 0)
    alone = np.empty(TILE, F)
    sines(one, 0, 1, 1, at, 0, alone, 0, alone, 0)
    assert np.array_equal(alone, s, equal_nan=True)
    return at.astype(float), s, c


@pytest.mark.parametrize("reach", [0.8, 10.0, 300.0, 8000.0])
def test_sine_and_cosine_are_those_of_libm_over_many_turns(reach):
    for seed in range(20):
        exact, s, c = both(np.random.default_rng(seed).uniform(-reach, reach, TILE))
        assert np.abs(s - np.sin(exact)).max() < 2e-7
        assert np.abs(c - np.cos(exact)).max() < 2e-7


def test_quarters_of_a_turn_and_what_is_no_number():
    exact, s, c = both(np.resize(np.arange(-32, 32) * np.pi / 4, TILE))
    assert np.abs(s - np.sin(exact)).max() < 2e-7
    assert np.abs(c - np.cos(exact)).max() < 2e-7
    _, s, c = both(np.resize([np.nan, np.inf, -np.inf, 0.0], TILE))
    assert np.isnan(s.reshape(-1, 4)[:, :3]).all()
    assert np.isnan(c.reshape(-1, 4)[:, :3]).all()
    assert (s.reshape(-1, 4)[:, 3] == 0).all()
    assert (c.reshape(-1, 4)[:, 3] == 1).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 7, 8, 15])
@pytest.mark.parametrize("columns", [1, 3, 9])
def test_products(rows, columns):
    rng = np.random.default_rng(rows * columns)
    weights = rng.normal(size=(rows, columns)).astype(F)
    x, c = rng.normal(size=(columns, TILE)).astype(F), rng.normal(size=(rows, TILE)).astype(F)
    y = np.full((rows + 1, TILE), 7, F)
    sums(weights.ravel(), 0, rows, columns, x.ravel(), 0, y.ravel(), 0, y.ravel(), 0)
    np.testing.assert_allclose(y[:rows], weights @ x, atol=1e-5)
    assert (y[rows] == 7).all()
    sums_times(weights.ravel(), 0, rows, columns, x.ravel(), 0, y.ravel(), 0, c.ravel(), 0)
    np.testing.assert_allclose(y[:rows], weights @ x * c, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3, 4, 6])
@pytest.mark.parametrize("columns", [1, 4, 7])
def test_sums_of_products_are_added_to_what_is_there(rows, columns):
    rng = np.random.default_rng(rows * columns)
    g, h = rng.normal(size=(rows, TILE)).astype(F), rng.normal(size=(columns, TILE)).astype(F)
    totals = rng.normal(size=(rows, columns, LANES)).astype(F)
    expected = totals.sum(2) + g @ h.T
    add_products(g.ravel(), 0, rows, h.ravel(), 0, columns, totals.ravel(), 0)
    np.testing.assert_allclose(totals.sum(2), expected, atol=1e-4)


SCRIPT = """
import numpy as np
from tests.backends.numba.test_sine_kernel import both

worst = 0.0
for reach in (1, 300, 8000):
    exact, s, c = both(np.random.default_rng(reach).uniform(-reach, reach, 128))
    worst = max(worst, np.abs(s - np.sin(exact)).max(), np.abs(c - np.cos(exact)).max())
print(worst)
"""


@pytest.mark.parametrize("features", ["", "+avx,+avx2,+fma,+sse4.2"])
def test_sines_are_as_exact_where_products_are_rounded_before_they_are_added(tmp_path, features):
    settings = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    if features:
        from llvmlite import binding

        if not binding.get_host_cpu_features().get("avx2"):
            pytest.skip("this processor has no AVX2")
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | settings, capture_output=True, text=True, check=True
    )
    assert 0 < float(ended.stdout) < 2e-7
