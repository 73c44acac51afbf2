"""Predictors of a pass, fitted to a sample of its voxels.

Weights are found by least squares on what the decoder will know, with the expected error as the standard deviation:
edges do not rule over the flat regions, which are most of a volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.residual.equations import Equations, Voxels, predicted
from tinc_codec.residual.interlace import Pass
from tinc_codec.residual.lattices import Lattices, Members
from tinc_codec.residual.prediction import LARGEST_WEIGHT, PLAIN, SPREADS, UNIT, PassModel
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

_FIRST = 8
"""One in so many of a sample is looked at first: where noise is coded, these are enough for all pairs."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some voxels of a pass.

    Parameters
    ----------
    places
        See `tinc_codec.residual.lattices.places`.
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
        return cls(backend().places(lattices, members, chosen), members.target[chosen], members.base_of(chosen), count)


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
    voxels = Voxels(around, sample.target, sample.base)
    if pairs > 1:
        return _fitted(voxels, width, top)
    return min(PLAIN, key=lambda model: _misses(voxels, model, top))


def _off(lattices: Lattices, sample: Sample, step: Pass, width: int) -> int:
    """How many voxels of the pass are off what two neighbours and the model say, by more than is allowed.

    Where there are enough for all pairs, how many there are at least.
    """
    some = slice(None, None, _FIRST)
    few = _off_among(lattices, Sample(sample.places[some], sample.target[some], sample.base[some], 0), step, width)
    if few >= PAIRS * OFF_PER_WEIGHT:
        return few
    return int(_off_among(lattices, sample, step, width) * sample.count / len(sample.target))


def _off_among(lattices: Lattices, sample: Sample, step: Pass, width: int) -> int:
    """How many voxels of the sample are."""
    around = backend().surroundings(lattices, sample.places, step.pairs[:1])
    mean = around.pairs[0] / 2
    apart = np.minimum(np.abs(sample.target - mean), np.abs(sample.target - sample.base))
    return int(np.count_nonzero(apart > width / 2))


def _misses(voxels: Voxels, model: PassModel, top: int) -> float:
    """Bits, about, of what a plain model leaves."""
    return float(np.log2(1 + np.abs(voxels.target - predicted(voxels, model, top))).sum())


def _fitted(voxels: Voxels, width: int, top: int) -> PassModel:
    """Weights of the prediction, then those of the expected error, which is that of this prediction.

    Each equation counts by how far off a rough prediction may be, from what near neighbours differ and were wrong by.
    """
    solution = _solved(backend().of_prediction(voxels, float(width)))
    weights, bias = _integers(solution[1:]), _offset(solution[0])
    mean = PassModel(weights, bias, (0,) * SPREADS, 0)
    solution = _solved(backend().of_spread(voxels, mean, top, width / 4))
    return PassModel(weights, bias, _integers(solution[1:]), _offset(solution[0]))


def _solved(equations: Equations) -> NDArray[np.float64]:
    """Least squares, with a ridge that matters where equations say nothing."""
    products, scales = equations
    matrix, right = products[:-1, :-1], products[:-1, -1]
    size = np.sqrt(np.diag(matrix))
    size = np.where(size > 0, size, 1.0)
    scaled = matrix / np.outer(size, size) + 1e-6 * np.eye(len(size))
    return np.asarray(np.linalg.solve(scaled, right / size) / size * scales[:-1] / (scales[-1] or 1.0))


def _integers(weights: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(w) for w in np.clip(np.rint(weights * UNIT), -LARGEST_WEIGHT, LARGEST_WEIGHT))


def _offset(value: float) -> int:
    return int(np.clip(round(value * UNIT), -LARGEST_OFFSET, LARGEST_OFFSET))
