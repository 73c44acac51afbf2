"""Predictors of a pass, fitted to a sample of its voxels.

Weights are found by least squares on what the decoder will know, with the expected error as the standard deviation:
edges do not rule over the flat regions, which are most of a volume.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinc_codec.encoding.residual.lattices import Sample
from tinc_codec.residual.interlace import Pass
from tinc_codec.residual.prediction import (
    FAR,
    LARGEST_WEIGHT,
    MODERATE,
    NEAR,
    PLAIN,
    SPREADS,
    UNIT,
    PassModel,
    rounded,
)
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
    pairs = min(PAIRS, len(step.pairs), sample.count // VOXELS_PER_WEIGHT) if sample else 0
    if sample is not None and pairs > 1:
        return _Fit(step, sample, pairs, top).model(width)
    plain = PLAIN if step.pairs else PLAIN[:1]
    return min(plain, key=lambda model: _misses(step, sample, model, top)) if sample else plain[0]


def _misses(step: Pass, sample: Sample, model: PassModel, top: int) -> float:
    """Bits, about, of what a plain model leaves."""
    total = sample.base * UNIT
    for offset in step.pairs[: model.pairs]:
        total = (sample.at(offset, 1) + sample.at(offset, -1)) * (UNIT // 2)
    return float(np.log2(1 + np.abs(sample.target - rounded(total, model, top))).sum())


class _Fit:
    """What the equations of a pass are made of."""

    def __init__(self, step: Pass, sample: Sample, pairs: int, top: int) -> None:
        self._sample, self._top = sample, top
        self._near = [
            (sample.at(offset, sign), sample.errors_at(offset, sign))
            for offset in step.pairs[: min(pairs, FAR)]
            for sign in (1, -1)
        ]
        near = len(self._near) // 2
        sums = [one[0] + other[0] for one, other in zip(self._near[::2], self._near[1::2], strict=True)]
        sums += [sample.at(offset, 1) + sample.at(offset, -1) for offset in step.pairs[near:pairs]]
        self._first, self._pairs = sums[0], pairs
        self._rows = np.stack(
            [np.ones(len(sample.base)), 2 * sample.base - sums[0], *(pair - sums[0] for pair in sums[1:])]
        )

    def model(self, width: int) -> PassModel:
        """Weights of the prediction, then those of the expected error."""
        plain = rounded(self._first * (UNIT // 2), PLAIN[1], 2**53)
        terms = self._terms(plain)
        target = self._sample.target - self._first / 2
        solution = _solved(self._rows, target, _doubt(terms[0], terms[2], width) ** -2)
        weights, bias = _integers(solution[1:]), _offset(solution[0])
        model = PassModel(weights, bias, (0,) * SPREADS, 0)
        total = self._first * (UNIT // 2) + np.array(weights, np.float64) @ self._rows[1:]
        predicted = rounded(total, model, self._top)
        terms = self._terms(predicted)
        rows = np.stack([np.ones(len(predicted)), *terms])
        doubt = _doubt(terms[0], terms[2], width / 4)
        solution = _solved(rows, np.abs(self._sample.target - predicted), doubt**-2)
        return PassModel(weights, bias, _integers(solution[1:]), _offset(solution[0]))

    def _terms(self, predicted: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """See `tinc_codec.residual.prediction.spread_terms`."""
        parts = []
        differences, mistakes = np.zeros_like(predicted), np.zeros_like(predicted)
        for number, (value, error) in enumerate(self._near, start=1):
            differences += np.abs(value - predicted)
            mistakes += error
            if number in (2 * NEAR, len(self._near)):
                parts.append((differences.copy(), mistakes.copy()))
        near, far = parts[0], parts[-1]
        return [near[0], far[0], near[1], far[1], predicted * (1 / MODERATE)]


def _solved(rows: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted least squares of ``(unknowns, equations)``, with a ridge that matters where equations say nothing."""
    weighted = rows * weight
    matrix, right = weighted @ rows.T, weighted @ target
    size = np.sqrt(np.diag(matrix))
    size = np.where(size > 0, size, 1.0)
    scaled = matrix / np.outer(size, size) + 1e-6 * np.eye(len(size))
    return np.asarray(np.linalg.solve(scaled, right / size) / size)


def _doubt(differences: NDArray[np.float64], mistakes: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Rough size of the error to expect, from the sums over the near neighbours."""
    return (differences + mistakes) / 4 + least


def _integers(weights: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(w) for w in np.clip(np.rint(weights * UNIT), -LARGEST_WEIGHT, LARGEST_WEIGHT))


def _offset(value: float) -> int:
    return int(np.clip(round(value * UNIT), -LARGEST_OFFSET, LARGEST_OFFSET))
