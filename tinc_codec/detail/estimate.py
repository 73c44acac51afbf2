"""What a band costs, about, without coding it: squared errors and the price of bits that its neighbours foretell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.plan import AXES

PRICE = 0.1
"""Of a bit, in squared steps."""

ROUNDING, MOST = 0.38, 15
CODED = 1 + 1 / (12 * PRICE)
"""Bits of a coefficient that is coded, beside those of its magnitude: its sign, and the error of rounding."""

OWN, LEAST = 0.02, 1e-4
"""What is expected of a coefficient: a mean over its neighbours, so much of the band's mean, and a little."""


def cost(values: NDArray[np.float32], inverse: float) -> float:
    """Squared errors in squared steps, and the price of the bits.

    Parameters
    ----------
    values
        Coefficients of a band, of four axes.
    inverse
        1 over the step.
    """
    value = np.abs(values) * np.float32(inverse)
    number = np.floor(value + np.float32(ROUNDING))
    expected = _around(np.minimum(number, MOST))
    bits = np.log2(1 + expected) + number * (np.log2(1 + expected) - np.log2(expected)) + (number > 0)
    return float(np.sum((value - number) ** 2 + PRICE * bits, dtype=np.float64))


def _around(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over the neighbours along the last three axes, and a little of the band's."""
    sums = numbers
    for axis in range(1, AXES):
        padded = np.pad(sums, [(int(a == axis),) * 2 for a in range(AXES)], mode="edge")
        n = numbers.shape[axis]
        sums = sum(np.take(padded, range(first, first + n), axis) for first in range(3))  # type: ignore[assignment]
    return np.asarray((sums - numbers) / 26 + OWN * numbers.mean() + LEAST, np.float32)
