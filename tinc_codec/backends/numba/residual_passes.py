"""The encoder's passes over a tile of a residual, compiled: what `tinc_codec.residual.lattice.code_pass` does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.interlace import AXES
from tinc_codec.residual.interlace import REACH
from tinc_codec.residual.lattice import Coded, Lattice, PassCoding
from tinc_codec.residual.prediction import FAR, MODERATE, NEAR, UNIT


def code_pass(
    coding: PassCoding, lattice: Lattice, target: NDArray[np.float64], inside: NDArray[np.bool_] | None
) -> Coded:
    """See `tinc_codec.residual.lattice.code_pass`."""
    step, model, quantiser = coding.step, coding.model, coding.quantiser
    more = AXES - target.ndim
    values, origin, strides = _flat(lattice.values)
    errors, _, _ = _flat(lattice.errors)
    stride = 2 if step.pairs else 1
    first = origin + sum(odd * s for odd, s in zip(step.parity, strides, strict=True))
    offsets = [sum(o * s for o, s in zip(pair, strides, strict=True)) for pair in step.pairs[: model.pairs]]
    coded = Coded(np.empty(target.size), np.empty(target.size, np.int64))
    _pass(
        values,
        errors,
        np.ascontiguousarray(step.odd(lattice.base)).ravel(),
        np.ascontiguousarray(target).ravel(),
        np.zeros(0, np.bool_) if inside is None else np.ascontiguousarray(inside).ravel(),
        np.array((1,) * more + target.shape, np.int64),
        first,
        np.array([0] * more + [stride * s for s in strides], np.int64),
        np.array(offsets, np.int64),
        np.array(model.weights, np.float64),
        np.array([model.bias, model.floor, *model.spread], np.float64),
        float(quantiser.width),
        quantiser.rounding,
        float(coding.top),
        *coded,
    )
    lattice.mirror()
    return coded


def _flat(padded: NDArray[np.float64]) -> tuple[NDArray[np.float64], int, list[int]]:
    """The memory that a view with a border lies in, flat, where its first sample is there, and its strides."""
    strides = [s // padded.itemsize for s in padded.strides]
    size = 1 + sum((n - 1) * s for n, s in zip(padded.shape, strides, strict=True))
    return np.lib.stride_tricks.as_strided(padded, (size,), (padded.itemsize,)), REACH * sum(strides), strides


@jit
def _pass(
    values: Any, errors: Any, base: Any, target: Any, inside: Any, shape: Any, first: int, strides: Any, offsets: Any,
    weights: Any, terms: Any, width: float, rounding: float, top: float, expected: Any, steps: Any,
) -> None:  # fmt: skip
    """All voxels of a pass, row by row; `terms` are the bias, the floor, and the weights of the expected error."""
    n, at = shape[3], 0
    total, pair, apart = np.empty(n), np.empty(n), np.empty((2, n))
    for a in range(shape[0]):
        for b in range(shape[1]):
            for c in range(shape[2]):
                place = first + a * strides[0] + b * strides[1] + c * strides[2]
                row = slice(at, at + n)
                _mean(values, base[row], place, offsets, weights, pair, total)
                for m in range(n):
                    value = np.floor((total[m] + (terms[0] + UNIT // 2)) * (1 / UNIT))
                    total[m] = min(max(value, 0.0), top)
                    expected[at + m] = terms[1] + total[m] * (1 / MODERATE) * terms[6]
                _spread(values, errors, place, offsets, terms, total, apart, expected[row])
                _quantise(target[row], total, width, rounding, steps[row])
                if len(inside):
                    for m in range(n):
                        if not inside[at + m]:
                            steps[at + m] = 0
                for m in range(n):
                    decoded = min(max(total[m] + steps[at + m] * width, 0.0), top)
                    values[place + m * strides[3]] = decoded
                    errors[place + m * strides[3]] = abs(decoded - total[m])
                at += n


@jit
def _mean(values: Any, base: Any, place: int, offsets: Any, weights: Any, pair: Any, total: Any) -> None:
    """Weighted sums of pairs and of the model's prediction, of a row."""
    n = len(total)
    if len(offsets) == 0:
        for m in range(n):
            total[m] = base[m] * UNIT
    for j in range(len(offsets)):
        one, two, weight = values[place + offsets[j] :], values[place - offsets[j] :], weights[j]
        if j == 0:
            for m in range(n):
                pair[m] = one[2 * m] + two[2 * m]
                total[m] = pair[m] * (UNIT // 2) + (2 * base[m] - pair[m]) * weight
        else:
            for m in range(n):
                total[m] += (one[2 * m] + two[2 * m] - pair[m]) * weight


@jit
def _spread(
    values: Any, errors: Any, place: int, offsets: Any, terms: Any, mean: Any, apart: Any, expected: Any
) -> None:
    """Add to a row's expected errors what neighbours differ by, and what they were wrong by."""
    n, near, far = len(mean), min(len(offsets), NEAR), min(len(offsets), FAR)
    apart[:] = 0.0
    for j in range(far):
        one, two = values[place + offsets[j] :], values[place - offsets[j] :]
        for m in range(n):
            apart[0, m] += abs(one[2 * m] - mean[m]) + abs(two[2 * m] - mean[m])
        one, two = errors[place + offsets[j] :], errors[place - offsets[j] :]
        for m in range(n):
            apart[1, m] += one[2 * m] + two[2 * m]
        if j == near - 1:
            for m in range(n):
                expected[m] += apart[0, m] * terms[2] + apart[1, m] * terms[4]
        if j == far - 1:
            for m in range(n):
                expected[m] += apart[0, m] * terms[3] + apart[1, m] * terms[5]


@jit
def _quantise(target: Any, predicted: Any, width: float, rounding: float, steps: Any) -> None:
    """Steps of a row; see `Quantiser.steps`."""
    half = np.floor(width / 2)
    for m in range(len(target)):
        apart = target[m] - predicted[m]
        size = (abs(apart) + half) / width if rounding == 0.5 else abs(apart) / width + rounding
        magnitude = np.int64(np.floor(size))
        steps[m] = -magnitude if apart < 0 else magnitude
