"""Predictors of a pass, fitted to a sample of its voxels.

Weights are found by least squares on what the decoder will know, with the expected error as the standard deviation:
edges do not rule over the flat regions, which are most of a volume.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinc_codec.encoding.residual.lattices import Sample
from tinc_codec.residual.interlace import Pass
from tinc_codec.residual.prediction import LARGEST_WEIGHT, PLAIN, SPREADS, UNIT, PassModel, predict, spread_terms
from tinc_codec.residual.section import LARGEST_OFFSET

FITTED = 2**15
"""Voxels of a pass that its weights are fitted to, at most, with the least effort: of four times as many, 0.1 to 0.4 %
less would be coded."""

PAIRS = 24
"""Pairs of the finest passes; each costs its share of the decoding time."""

VOXELS_PER_WEIGHT = 150
"""A pass with fewer voxels uses fewer pairs, so that weights do not cost more than they save."""


def fit(step: Pass, sample: Sample | None, width: int, top: int) -> PassModel:
    """The predictor of a pass.

    Parameters
    ----------
    sample
        Of its voxels; None: none is coded.
    width
        Quantisation step.
    top
        Largest integer of the domain.
    """
    plain = PLAIN if step.pairs else PLAIN[:1]
    if sample is None:
        return plain[0]
    pairs = min(PAIRS, len(step.pairs), sample.count // VOXELS_PER_WEIGHT)
    if pairs > 1:
        return _fitted(step, sample, pairs, width, top)
    return min(plain, key=lambda model: _misses(step, sample, model, top))


def _misses(step: Pass, sample: Sample, model: PassModel, top: int) -> float:
    """Bits, about, of what a plain model leaves."""
    return float(np.log2(1 + np.abs(sample.target - predict(sample.around, step, model, top))).sum())


def _fitted(step: Pass, sample: Sample, pairs: int, width: int, top: int) -> PassModel:
    """Weights of the prediction, then those of the expected error, which is that of this prediction."""
    around, ones = sample.around, np.ones(len(sample.target))
    sums = [around.values.at(offset, 1) + around.values.at(offset, -1) for offset in step.pairs[:pairs]]
    first, *others = sums
    rows = np.stack([ones, 2 * around.base - first, *(pair - first for pair in others)])
    terms = spread_terms(around, step, predict(around, step, PLAIN[1], 2**53), pairs)
    solution = _solved(rows, sample.target - first / 2, _doubt(terms, width))
    weights, bias = _integers(solution[1:]), _offset(solution[0])
    predicted = predict(around, step, PassModel(weights, bias, (0,) * SPREADS, 0), top)
    terms = spread_terms(around, step, predicted, pairs)
    solution = _solved(np.stack([ones, *terms]), np.abs(sample.target - predicted), _doubt(terms, width / 4))
    return PassModel(weights, bias, _integers(solution[1:]), _offset(solution[0]))


def _solved(rows: NDArray[np.float64], target: NDArray[np.float64], doubt: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted least squares of ``(unknowns, equations)``, with a ridge that matters where equations say nothing."""
    weighted = rows * doubt**-2
    matrix, right = weighted @ rows.T, weighted @ target
    size = np.sqrt(np.diag(matrix))
    size = np.where(size > 0, size, 1.0)
    scaled = matrix / np.outer(size, size) + 1e-6 * np.eye(len(size))
    return np.asarray(np.linalg.solve(scaled, right / size) / size)


def _doubt(terms: list[NDArray[np.float64]], least: float) -> NDArray[np.float64]:
    """Rough size of the error to expect, from the sums over the near neighbours."""
    differences, _, mistakes, _, _ = terms
    return (differences + mistakes) / 4 + least


def _integers(weights: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(w) for w in np.clip(np.rint(weights * UNIT), -LARGEST_WEIGHT, LARGEST_WEIGHT))


def _offset(value: float) -> int:
    return int(np.clip(round(value * UNIT), -LARGEST_OFFSET, LARGEST_OFFSET))
