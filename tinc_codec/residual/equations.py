"""The equations that predictors are fitted by: what the decoder will know of some voxels, and what they are.

Equations are rounded to integers so small that sums of their products are exact: any machine gives the same ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual.lattices import Surroundings
from tinc_codec.residual.prediction import MODERATE, NEAR, PLAIN, UNIT, PassModel

LARGEST = 2**17
"""Equations are integers of this size, at most: sums of the products of 2^18 of them stay below 2^53."""

BLOCK = 256
"""Voxels whose equations are multiplied at once: few enough that BLAS takes one thread, which waits for no other."""


class Voxels(NamedTuple):
    """Some voxels of a pass."""

    around: Surroundings
    """What lies around them, of two pairs at least."""
    target: NDArray[np.float64]
    """What they are."""
    base: NDArray[np.float64]
    """The model's prediction of them."""


class Equations(NamedTuple):
    """Weighted equations: a constant, terms, and what they should give."""

    products: NDArray[np.float64]
    """Sums of the products of each row with each, integers, shape ``(terms + 2, terms + 2)``."""
    scales: NDArray[np.float64]
    """What each row was multiplied by."""


def of_prediction(voxels: Voxels, doubt: float) -> Equations:
    """Equations of the weights of a prediction.

    Parameters
    ----------
    doubt
        Of every voxel, beside what its neighbours say.
    """
    around, target, base = voxels
    first, others = around.pairs[0], around.pairs[1:]
    near, _ = differences(around, predicted(voxels, PLAIN[1], 2**53))
    weight = 1 / ((near + around.mistakes[0]) / 4 + doubt)
    return _multiplied([np.ones(1), 2 * base - first, *others, target - first / 2], weight)


def of_spread(voxels: Voxels, model: PassModel, top: float, doubt: float) -> Equations:
    """Equations of the weights of the error to expect of a prediction.

    Parameters
    ----------
    model
        The prediction; what it says of the error is not looked at.
    top
        Largest integer of the domain.
    doubt
        See `of_prediction`.
    """
    around, mean = voxels.around, predicted(voxels, model, top)
    near, far = differences(around, mean)
    weight = 1 / ((near + around.mistakes[0]) / 4 + doubt)
    terms = [np.ones(1), near, far, *around.mistakes, mean / MODERATE, np.abs(voxels.target - mean)]
    return _multiplied(terms, weight)


def predicted(voxels: Voxels, model: PassModel, top: float) -> NDArray[np.float64]:
    """What a model says of the voxels; exact integers, see `tinc_codec.residual.prediction.predict`."""
    around, _, base = voxels
    if not model.pairs:
        total = base * UNIT
    else:
        first, others = around.pairs[0], around.pairs[1 : model.pairs]
        total = first * (UNIT // 2) + (2 * base - first) * model.weights[0]
        total += np.einsum("j,jn->n", np.array(model.weights[1:], np.float64), others)
    return np.clip(np.floor((total + (model.bias + UNIT // 2)) * (1 / UNIT)), 0, top)


def differences(around: Surroundings, mean: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much the near neighbours differ from a prediction, and the far ones."""
    apart = np.abs(around.near - mean)
    near = apart[: 2 * NEAR].sum(0)
    return near, near + apart[2 * NEAR :].sum(0)


def scales_of(largest: NDArray[np.float64]) -> NDArray[np.float64]:
    """What rows are multiplied by before they are rounded, by their largest magnitudes."""
    known = largest > 0
    return np.asarray(np.where(known, LARGEST, 0) / np.where(known, largest, 1))


def _multiplied(terms: list[NDArray[np.float64]], weight: NDArray[np.float64]) -> Equations:
    rows = np.empty((len(terms), len(weight)))
    for row, term in zip(rows, terms, strict=True):
        np.multiply(term, weight, out=row)
    scales = scales_of(np.maximum(rows.max(1), -rows.min(1)))
    rows *= scales[:, None]
    np.rint(rows, out=rows)
    products = np.zeros((len(rows), len(rows)))
    for begin in range(0, len(weight), BLOCK):
        part = rows[:, begin : begin + BLOCK]
        products += part @ part.T
    return Equations(products, scales)
