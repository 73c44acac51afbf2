"""What a voxel is expected to be, and how far off that may be, from its neighbours; exact integer arithmetic.

Values are float64 of integer value. Every sum stays below 2^53 in magnitude (`check`), so that its order is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual.interlace import Offset, Pass

UNIT = 1024
"""Weights are in units of 1/1024."""

LARGEST_WEIGHT = 2047
NEAR, FAR = 2, 6
"""Pairs whose differences and errors count for the expected error: once and again."""

SPREADS = 5
"""Weights of the expected error: differences and errors of near and far neighbours, and the prediction itself."""

MODERATE = 16
"""The prediction's weight counts for a sixteenth: noise grows slowly with intensity."""

Volume = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PassModel:
    """How the voxels of one pass are predicted.

    Parameters
    ----------
    weights
        Of the model's own prediction, then of each pair but the first; int, in `UNIT`. One less than 1 + pairs. Their
        number is the number of pairs in use.
    bias
        Added to the prediction, in `UNIT`.
    spread
        `SPREADS` weights of the expected error, int, in `UNIT`.
    floor
        Added to the expected error, in `UNIT`.
    """

    weights: tuple[int, ...]
    bias: int
    spread: tuple[int, ...]
    floor: int

    @property
    def pairs(self) -> int:
        """Number of pairs in use."""
        return len(self.weights)


PLAIN = tuple(PassModel((0,) * pairs, 0, (UNIT // 4, 0, UNIT // 8, 0, 0), 0) for pairs in (0, 1))
"""The models with no pair, which is the tree's own prediction, and with one, which is its mean."""


class Neighbours(Protocol):
    """What is known around some voxels of one pass."""

    def at(self, offset: Offset, sign: int) -> Volume:
        """The neighbours at ``sign * offset``, shaped like the voxels."""


@dataclass(frozen=True, eq=False)
class Around:
    """What voxels of one pass are predicted from.

    Parameters
    ----------
    values, errors
        See `tinc_codec.residual.lattice.Lattice`.
    base
        The model's prediction of the voxels.
    """

    values: Neighbours
    errors: Neighbours
    base: Volume


def predict(around: Around, step: Pass, model: PassModel, top: int) -> Volume:
    """Predictions of the voxels of a pass, within 0 .. `top`."""
    if not model.pairs:
        total = around.base * UNIT
    else:
        sums = (around.values.at(offset, 1) + around.values.at(offset, -1) for offset in step.pairs[: model.pairs])
        first = next(sums)
        total = first * (UNIT // 2)
        total += (2 * around.base - first) * model.weights[0]
        for weight, pair in zip(model.weights[1:], sums, strict=True):
            total += (pair - first) * weight
    total += model.bias + UNIT // 2
    total *= 1 / UNIT
    np.floor(total, out=total)
    return np.clip(total, 0, top, out=total)


def spread_terms(around: Around, step: Pass, predicted: Volume, pairs: int) -> list[Volume]:
    """What the expected error is made of: `SPREADS` volumes shaped like the pass's voxels."""
    terms = []
    differences, mistakes = np.zeros_like(predicted), np.zeros_like(predicted)
    for number, offset in enumerate(step.pairs[: min(pairs, FAR)], start=1):
        for sign in (1, -1):
            differences += np.abs(around.values.at(offset, sign) - predicted)
            mistakes += around.errors.at(offset, sign)
        if number in (NEAR, min(pairs, FAR)):
            terms.append((differences.copy(), mistakes.copy()))
    near, far = (terms[0], terms[-1]) if terms else ((differences, mistakes),) * 2
    return [near[0], far[0], near[1], far[1], predicted * (1 / MODERATE)]


def expected_error(terms: list[Volume], model: PassModel) -> Volume:
    """Expected error in units of 1 / `UNIT`; may be negative."""
    total = np.full_like(terms[0], float(model.floor))
    for weight, term in zip(model.spread, terms, strict=True):
        if weight:
            total += term * float(weight)
    return total
