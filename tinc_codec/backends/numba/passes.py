"""Passes over a lattice, compiled: predictions, contexts, and the decoded voxels; FORMAT.md, "Prediction"."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.interlace import PAD, pad_row, reflected
from tinc_codec.residual.prediction import FAR, MODERATE, NEAR, UNIT


@jit
def predict(
    values: Any, errors: Any, base: Any, n: int, parity: Any, offsets: Any, weights: Any, terms: Any, thresholds: Any,
    top: float, predicted: Any, contexts: Any,
) -> None:  # fmt: skip
    """Predictions and contexts of the voxels of a pass, in C order.

    `terms` are the bias, the floor, and the weights of the expected error.
    """
    n0, n1, n2 = values.shape[:3]
    size = (n - parity[3] + 1) // 2
    first, apart, expected = np.empty(size), np.empty((2, size)), np.empty(size)
    at = 0
    for a in range(parity[0], n0, 2):
        for b in range(parity[1], n1, 2):
            for c in range(parity[2], n2, 2):
                mean, context = predicted[at : at + size], contexts[at : at + size]
                _mean(values, base[a, b, c, parity[3], PAD:], a, b, c, parity[3], offsets, weights, first, mean)
                for m in range(size):
                    value = np.floor((mean[m] + (terms[0] + UNIT // 2)) * (1 / UNIT))
                    mean[m] = min(max(value, 0.0), top)
                    expected[m] = terms[1] + mean[m] * (1 / MODERATE) * terms[6]
                _spread(values, errors, a, b, c, parity[3], offsets, terms, mean, apart, expected)
                classify(expected, thresholds, context)
                at += size


@jit
def _row(lattice: Any, a: int, b: int, c: int, place: int) -> Any:
    """The neighbours of a row at one offset, of which `place` is the first."""
    n0, n1, n2 = lattice.shape[:3]
    return lattice[reflected(a, n0), reflected(b, n1), reflected(c, n2), place % 2, PAD + place // 2 :]


@jit
def _mean(
    values: Any, own: Any, a: int, b: int, c: int, start: int, offsets: Any, weights: Any, first: Any, total: Any
) -> None:
    """Weighted sums of pairs and of the model's prediction, of a row."""
    size = len(total)
    if len(offsets) == 0:
        for m in range(size):
            total[m] = own[m] * UNIT
    for j in range(len(offsets)):
        x, y, z, o = offsets[j]
        one, two = _row(values, a + x, b + y, c + z, start + o), _row(values, a - x, b - y, c - z, start - o)
        weight = weights[j]
        if j == 0:
            for m in range(size):
                first[m] = one[m] + two[m]
                total[m] = first[m] * (UNIT // 2) + (2 * own[m] - first[m]) * weight
        else:
            for m in range(size):
                total[m] += (one[m] + two[m] - first[m]) * weight


@jit
def _spread(
    values: Any, errors: Any, a: int, b: int, c: int, start: int, offsets: Any, terms: Any, mean: Any, apart: Any,
    expected: Any,
) -> None:  # fmt: skip
    """Add to a row's expected errors what neighbours differ by, and what they were wrong by."""
    size = len(mean)
    near, far = min(len(offsets), NEAR), min(len(offsets), FAR)
    apart[:] = 0.0
    for j in range(far):
        x, y, z, o = offsets[j]
        one, two = _row(values, a + x, b + y, c + z, start + o), _row(values, a - x, b - y, c - z, start - o)
        for m in range(size):
            apart[0, m] += abs(one[m] - mean[m]) + abs(two[m] - mean[m])
        one, two = _row(errors, a + x, b + y, c + z, start + o), _row(errors, a - x, b - y, c - z, start - o)
        for m in range(size):
            apart[1, m] += one[m] + two[m]
        if j == near - 1:
            for m in range(size):
                expected[m] += apart[0, m] * terms[2] + apart[1, m] * terms[4]
        if j == far - 1:
            for m in range(size):
                expected[m] += apart[0, m] * terms[3] + apart[1, m] * terms[5]


@jit
def classify(expected: Any, thresholds: Any, contexts: Any) -> None:
    """Contexts: how many thresholds each expected error reaches."""
    for m in range(len(expected)):
        contexts[m] = 0
    for threshold in thresholds:
        for m in range(len(expected)):
            contexts[m] += threshold <= expected[m]


@jit
def enter(rows: Any, n: int, parity: Any, voxels: Any) -> None:
    """Put the voxels of a pass into their rows."""
    n0, n1, n2 = rows.shape[:3]
    size, at = (n - parity[3] + 1) // 2, 0
    for a in range(parity[0], n0, 2):
        for b in range(parity[1], n1, 2):
            for c in range(parity[2], n2, 2):
                rows[a, b, c, parity[3], PAD : PAD + size] = voxels[at : at + size]
                pad_row(rows[a, b, c], n)
                at += size
