"""Predictors of a pass, fitted to a sample of its voxels.

Weights are found by least squares on what the decoder will know, with the expected error as the standard deviation:
edges do not rule over the flat regions, which are most of a volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.residual.interlace import Pass
from tinc_codec.residual.lattices import Lattices, Members, Surroundings
from tinc_codec.residual.prediction import LARGEST_WEIGHT, MODERATE, NEAR, PLAIN, SPREADS, UNIT, PassModel
from tinc_codec.residual.section import LARGEST_OFFSET

FITTED = 2**15
"""Voxels of a pass that its weights are fitted to, at most, with the least effort: of four times as many, 0.1 to 0.4 %
less would be coded."""

PAIRS = 24
"""Pairs of the finest passes; each costs its share of the decoding time."""

VOXELS_PER_WEIGHT = 150
"""A pass with fewer voxels uses fewer pairs, so that weights do not cost more than they save."""

OFF_PER_WEIGHT = 5
"""The same of voxels that are not within the error allowed of what two neighbours or the model say."""

_LARGEST = 2**17
"""Equations are integers of this size, at most: sums of the products of 2^18 of them stay below 2^53."""

_BLOCK = 256
"""Voxels whose equations are multiplied at once: few enough that BLAS takes one thread, which waits for no other."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some voxels of a pass.

    Parameters
    ----------
    places
        See `Lattices.places`.
    target
        What they are.
    base
        The model's prediction.
    count
        How many voxels the pass codes.
    """

    places: NDArray[np.intp]
    target: NDArray[np.float64]
    base: NDArray[np.float64]
    count: int

    @classmethod
    def of(cls, lattices: Lattices, members: Members, most: int) -> Sample | None:
        """Voxels of a pass that are coded, at most so many, evenly; None: none is coded."""
        inside = members.inside
        count = len(members.target) if inside is None else int(np.count_nonzero(inside))
        if not count:
            return None
        every = -(-count // most)
        chosen = np.arange(0, count, every) if inside is None else np.flatnonzero(inside)[::every]
        return cls(lattices.places(members, chosen), members.target[chosen], members.base_of(chosen), count)


def fit(step: Pass, lattices: Lattices, sample: Sample | None, width: int, top: int) -> PassModel:
    """The predictor of a pass.

    Parameters
    ----------
    lattices
        What is known.
    sample
        Of its voxels; None: none is coded.
    width
        Quantisation step.
    top
        Largest integer of the domain.
    """
    if sample is None or not step.pairs:
        return PLAIN[0]
    pairs = min(PAIRS, len(step.pairs), sample.count // VOXELS_PER_WEIGHT)
    if pairs > 1:
        pairs = min(pairs, max(2, _off(lattices, sample, step, width) // OFF_PER_WEIGHT))
    around = backend().surroundings(lattices, sample.places, step.pairs[: max(pairs, 1)])
    if pairs > 1:
        return _fitted(around, sample, width, top)
    return min(PLAIN, key=lambda model: _misses(around, sample, model, top))


def _off(lattices: Lattices, sample: Sample, step: Pass, width: int) -> int:
    """How many voxels of the pass are off what two neighbours and the model say, by more than is allowed."""
    around = backend().surroundings(lattices, sample.places, step.pairs[:1])
    mean = around.pairs[0] / 2
    apart = np.minimum(np.abs(sample.target - mean), np.abs(sample.target - sample.base))
    return int(np.count_nonzero(apart > width / 2) * sample.count / len(sample.target))


def _misses(around: Surroundings, sample: Sample, model: PassModel, top: int) -> float:
    """Bits, about, of what a plain model leaves."""
    return float(np.log2(1 + np.abs(sample.target - _predicted(around, sample, model, top))).sum())


def _fitted(around: Surroundings, sample: Sample, width: int, top: int) -> PassModel:
    """Weights of the prediction, then those of the expected error, which is that of this prediction."""
    first, others = around.pairs[0], around.pairs[1:]
    differences = _differences(around, _predicted(around, sample, PLAIN[1], 2**53))
    doubt = _doubt(differences[0], around.mistakes[0], width)
    solution = _solved([2 * sample.base - first, *others], sample.target - first / 2, doubt)
    weights, bias = _integers(solution[1:]), _offset(solution[0])
    predicted = _predicted(around, sample, PassModel(weights, bias, (0,) * SPREADS, 0), top)
    differences = _differences(around, predicted)
    doubt = _doubt(differences[0], around.mistakes[0], width / 4)
    terms = [*differences, *around.mistakes, predicted / MODERATE]
    solution = _solved(terms, np.abs(sample.target - predicted), doubt)
    return PassModel(weights, bias, _integers(solution[1:]), _offset(solution[0]))


def _predicted(around: Surroundings, sample: Sample, model: PassModel, top: int) -> NDArray[np.float64]:
    """What a model says of the voxels; exact integers, see `tinc_codec.residual.prediction.predict`."""
    if not model.pairs:
        total = sample.base * UNIT
    else:
        first, others = around.pairs[0], around.pairs[1 : model.pairs]
        total = first * (UNIT // 2) + (2 * sample.base - first) * model.weights[0]
        total += np.einsum("j,jn->n", np.array(model.weights[1:], np.float64), others)
    return np.clip(np.floor((total + (model.bias + UNIT // 2)) * (1 / UNIT)), 0, top)


def _differences(around: Surroundings, predicted: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """By how much the near neighbours differ from a prediction, and the far ones."""
    apart = np.abs(around.near - predicted)
    near = apart[: 2 * NEAR].sum(0)
    return [near, near + apart[2 * NEAR :].sum(0)]


def _solved(
    terms: list[NDArray[np.float64]], target: NDArray[np.float64], doubt: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted least squares of a constant and some terms, with a ridge that matters where equations say nothing.

    Equations are rounded to integers so small that sums of their products are exact: any machine gives these weights.
    """
    rows = np.empty((len(terms) + 2, len(target)))
    weight = doubt.min() / doubt
    for row, term in zip(rows, (np.ones(1), *terms, target), strict=True):
        np.multiply(term, weight, out=row)
    largest = np.maximum(rows.max(1), -rows.min(1))
    scales = np.where(largest > 0, _LARGEST, 0) / np.where(largest > 0, largest, 1)
    rows *= scales[:, None]
    np.rint(rows, out=rows)
    products = np.zeros((len(rows), len(rows)))
    for begin in range(0, len(target), _BLOCK):
        part = rows[:, begin : begin + _BLOCK]
        products += part @ part.T
    matrix, right = products[:-1, :-1], products[:-1, -1]
    size = np.sqrt(np.diag(matrix))
    size = np.where(size > 0, size, 1.0)
    scaled = matrix / np.outer(size, size) + 1e-6 * np.eye(len(size))
    return np.asarray(np.linalg.solve(scaled, right / size) / size * scales[:-1] / (scales[-1] or 1.0))


def _doubt(differences: NDArray[np.float64], mistakes: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Rough size of the error to expect, from the sums over the near neighbours."""
    return (differences + mistakes) / 4 + least


def _integers(weights: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(w) for w in np.clip(np.rint(weights * UNIT), -LARGEST_WEIGHT, LARGEST_WEIGHT))


def _offset(value: float) -> int:
    return int(np.clip(round(value * UNIT), -LARGEST_OFFSET, LARGEST_OFFSET))
