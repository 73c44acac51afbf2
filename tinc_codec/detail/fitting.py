"""Weights and tables fitted to a chunk: the encoder's side of `contexts` and `tables`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES, OWN, UNIT, WEIGHTS, divisors
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.tables import DEFAULTS, LARGEST_LOGIT, TOKENS, logistic

_LARGEST_WEIGHT = 200
_PULL = 30.0
"""How much the equations count that say: a weight is as in the format."""

_BITS_ROW = 8.0
_BITS_WEIGHT = 4.0
"""What a row of weights that differs takes in the section, about: at all, and for each weight."""

_BITS = 0.5 / np.log(2)
"""Bits that a weighted squared error of 1 costs, about."""

_BITS_ANY, _BITS_EACH = 4.0, 0.35
"""What a logit that differs takes in the section, about: at all, and for each step."""


def fit_weights(normal: NDArray[np.float64], sharing: float) -> NDArray[np.int64]:
    """Weights from the equations of `Walker.gather`: those of the preset that suits them, or fitted where that pays.

    Parameters
    ----------
    sharing
        For how many as many coefficients the equations stand.
    """
    losses = [sum(map(_loss, normal, preset)) for preset in PRESETS]
    preset = PRESETS[int(np.argmin(losses))]
    return np.stack([_better(equations, number, preset[number], sharing) for number, equations in enumerate(normal)])


def _loss(equations: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    """Weighted squared errors of expected magnitudes, but for a constant."""
    x = weights / UNIT
    return float(x @ equations[:WEIGHTS, :WEIGHTS] @ x - 2 * x @ equations[:WEIGHTS, WEIGHTS])


def _better(
    equations: NDArray[np.float64], number: int, default: NDArray[np.int64], sharing: float
) -> NDArray[np.int64]:
    """A row of weights, fitted if that saves more than it takes."""
    fitted = _fit_pass(equations, number, default)
    takes = _BITS_ROW + _BITS_WEIGHT * np.count_nonzero(fitted != default)
    saves = _BITS * sharing * (_loss(equations, default) - _loss(equations, fitted))
    return fitted if saves > takes else default


def _fit_pass(equations: NDArray[np.float64], number: int, default: NDArray[np.int64]) -> NDArray[np.int64]:
    """A row by least squares, no weight negative."""
    known = divisors()[number] > 0
    used = np.concatenate([known[: OWN + 2], np.ones(WEIGHTS - OWN - 2, bool)])
    matrix, right = equations[:WEIGHTS, :WEIGHTS].copy(), equations[:WEIGHTS, WEIGHTS].copy()
    pull = _PULL * np.sqrt(np.diag(matrix)) + 1e-3 * np.diag(matrix) + 1e-9
    matrix[np.diag_indices(WEIGHTS)] += pull
    right += pull * default / UNIT
    solution = np.zeros(WEIGHTS)
    while used.any():
        solution[:] = 0
        solution[used] = np.linalg.solve(matrix[np.ix_(used, used)], right[used])
        if (solution >= 0).all():
            break
        used &= solution >= 0
    return np.clip(np.rint(solution * UNIT), 0, _LARGEST_WEIGHT).astype(np.int64)


def fit_tables(histogram: NDArray[Any]) -> NDArray[np.int32]:
    """Differences of logits to the defaults that code a histogram of tokens in classes in the fewest bits."""
    counts = histogram.astype(np.float64)
    above = counts[:, ::-1].cumsum(1)[:, ::-1]  # of each token and all above
    yes = np.stack([counts[:, 0], above[:, 2], above[:, 3:].sum(1)])
    no = np.stack([above[:, 1], counts[:, 1], counts[:, 2 : TOKENS - 1].sum(1)])
    logits = np.arange(-LARGEST_LOGIT, LARGEST_LOGIT + 1)
    share = logistic() / 2.0**24
    off = np.abs(logits - DEFAULTS[..., None])
    bits = -(yes[..., None] * np.log2(share) + no[..., None] * np.log2(1 - share))
    bits += _BITS_EACH * off + _BITS_ANY * (off > 0)
    best = logits[np.argmin(bits, axis=-1)] - DEFAULTS
    assert best.shape == (3, CLASSES)
    return np.asarray(best, np.int32)
