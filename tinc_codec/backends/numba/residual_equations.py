"""The equations that predictors are fitted by, compiled: the integers of `tinc_codec.residual.equations`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.residual.equations import BLOCK, Equations, Voxels, scales_of
from tinc_codec.residual.prediction import MODERATE, NEAR, PLAIN, UNIT, PassModel
from tinc_codec.runtime.threads import evenly

_WORTH = 2**12
"""Voxels that are worth a thread."""

_PLAIN = np.array(PLAIN[1].weights, np.float64)
_FARTHEST = 2.0**53

_finite = partial(jit, freely=("nnan", "nsz"))
"""Of numbers: the largest of a row is found by many lanes at once."""

_whole = partial(jit, freely=("nnan", "nsz", "reassoc", "contract"))
"""Of integers whose sums are exact: in any order."""


def of_prediction(voxels: Voxels, doubt: float) -> Equations:
    """See `tinc_codec.residual.equations.of_prediction`."""
    around, target, base = voxels
    rows = np.empty((len(around.pairs) + 2, len(target)))
    return _multiplied(
        rows, lambda largest, begin, end: _prediction(*around, target, base, doubt, rows, largest, begin, end)
    )


def of_spread(voxels: Voxels, model: PassModel, top: float, doubt: float) -> Equations:
    """See `tinc_codec.residual.equations.of_spread`."""
    around, target, base = voxels
    rows, weights = np.empty((7, len(target))), np.array(model.weights, np.float64)
    return _multiplied(
        rows,
        lambda largest, begin, end: _spread(
            *around, target, base, weights, float(model.bias), float(top), doubt, rows, largest, begin, end
        ),
    )


def _multiplied(rows: NDArray[np.float64], fill: Callable[[Any, int, int], None]) -> Equations:
    """Fill rows, some voxels after the other, note the largest of each, and multiply them."""
    largest, products, count = [np.zeros(len(rows))], [np.zeros((len(rows), len(rows)))], rows.shape[1]
    blocks = -(-count // BLOCK)

    def filled(begin: int, end: int) -> None:
        largest.append(np.zeros(len(rows)))
        fill(largest[-1], begin * BLOCK, min(end * BLOCK, count))

    def multiplied(begin: int, end: int) -> None:
        products.append(_products(rows, scales, begin * BLOCK, min(end * BLOCK, count)))

    evenly(filled, blocks, BLOCK, _WORTH)
    scales = scales_of(np.max(largest, axis=0))
    evenly(multiplied, blocks, BLOCK, _WORTH)
    above = np.sum(products, axis=0)
    return Equations(above + np.triu(above, 1).T, scales)


@_finite
def _weighted(term: Any, weight: Any, row: Any) -> Any:
    """A row of a term and weights; its largest magnitude."""
    largest = 0.0
    for k in range(len(row)):
        row[k] = term[k] * weight[k]
        largest = max(largest, abs(row[k]))
    return largest


@jit
def _mean(pairs: Any, base: Any, weights: Any, bias: float, top: float, begin: int, out: Any) -> None:
    """What a model says of voxels from `begin` on."""
    first, n = pairs[0, begin:], len(out)
    for k in range(n):
        out[k] = first[k] * (UNIT // 2) + (2 * base[begin + k] - first[k]) * weights[0]
    for j in range(1, len(weights)):
        pair, weight = pairs[j, begin:], weights[j]
        for k in range(n):
            out[k] += weight * pair[k]
    for k in range(n):
        out[k] = min(max(np.floor((out[k] + (bias + UNIT // 2)) * (1 / UNIT)), 0.0), top)


@jit
def _apart(near: Any, mean: Any, first: int, last: int, begin: int, out: Any) -> None:
    """Add by how much some neighbours differ from a prediction."""
    for j in range(first, last):
        there = near[j, begin:]
        for k in range(len(out)):
            out[k] += abs(there[k] - mean[k])


@jit
def _weight(apart: Any, mistakes: Any, doubt: float, begin: int, out: Any) -> None:
    wrong = mistakes[0, begin:]
    for k in range(len(out)):
        out[k] = 1 / ((apart[k] + wrong[k]) / 4 + doubt)


@jit
def _prediction(
    pairs: Any, near: Any, mistakes: Any, target: Any, base: Any, doubt: float, rows: Any, largest: Any, first: int,
    last: int,
) -> None:  # fmt: skip
    """Rows of voxels from `first` on."""
    spare = np.empty((4, BLOCK))
    for begin in range(first, last, BLOCK):
        end = min(begin + BLOCK, last)
        n = end - begin
        mean, apart, weight, term = spare[0, :n], spare[1, :n], spare[2, :n], spare[3, :n]
        _mean(pairs, base, _PLAIN, 0.0, _FARTHEST, begin, mean)
        apart[:] = 0.0
        _apart(near, mean, 0, 2 * NEAR, begin, apart)
        _weight(apart, mistakes, doubt, begin, weight)
        term[:] = 1.0
        largest[0] = max(largest[0], _weighted(term, weight, rows[0, begin:end]))
        sums = pairs[0, begin:end]
        for k in range(n):
            term[k] = 2 * base[begin + k] - sums[k]
        largest[1] = max(largest[1], _weighted(term, weight, rows[1, begin:end]))
        for j in range(1, len(pairs)):
            most = _weighted(pairs[j, begin:end], weight, rows[j + 1, begin:end])
            largest[j + 1] = max(largest[j + 1], most)
        for k in range(n):
            term[k] = target[begin + k] - sums[k] / 2
        largest[-1] = max(largest[-1], _weighted(term, weight, rows[-1, begin:end]))


@jit
def _spread(
    pairs: Any, near: Any, mistakes: Any, target: Any, base: Any, weights: Any, bias: float, top: float, doubt: float,
    rows: Any, largest: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Rows of voxels from `first` on."""
    terms, weight = np.empty((7, BLOCK)), np.empty(BLOCK)
    terms[0] = 1.0
    for begin in range(first, last, BLOCK):
        end = min(begin + BLOCK, last)
        n = end - begin
        mean, close, far = terms[5, :n], terms[1, :n], terms[2, :n]
        _mean(pairs, base, weights, bias, top, begin, mean)
        close[:] = 0.0
        _apart(near, mean, 0, 2 * NEAR, begin, close)
        far[:] = close
        _apart(near, mean, 2 * NEAR, len(near), begin, far)
        _weight(close, mistakes, doubt, begin, weight[:n])
        for k in range(n):
            terms[3, k], terms[4, k] = mistakes[0, begin + k], mistakes[1, begin + k]
            terms[6, k] = abs(target[begin + k] - mean[k])
            mean[k] *= 1 / MODERATE
        for j in range(7):
            largest[j] = max(largest[j], _weighted(terms[j, :n], weight[:n], rows[j, begin:end]))


@jit
def _rounded(row: Any, scale: float, out: Any) -> None:
    for k in range(len(out)):
        out[k] = np.rint(row[k] * scale)


@_whole
def _dot(one: Any, two: Any) -> Any:
    """The sum of products of integers."""
    total = 0.0
    for k in range(len(one)):
        total += one[k] * two[k]
    return total


@jit
def _products(rows: Any, scales: Any, first: int, last: int) -> Any:
    """Sums of products of rows, rounded, of voxels from `first` on: what lies on and right of the diagonal."""
    out, whole = np.zeros((len(rows), len(rows))), np.empty((len(rows), BLOCK))
    for begin in range(first, last, BLOCK):
        n = min(BLOCK, last - begin)
        for i in range(len(rows)):
            _rounded(rows[i, begin : begin + n], scales[i], whole[i, :n])
        for i in range(len(rows)):
            for j in range(i, len(rows)):
                out[i, j] += _dot(whole[i, :n], whole[j, :n])
    return out
