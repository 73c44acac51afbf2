"""What magnitude of a coefficient is expected, from what is known when its pass is coded.

A tile of a band is coded in eight passes, one a parity of its last three axes. The expected magnitude is a sum of weighted
means of known magnitudes: of neighbours in the tile, of the parent, of the bands of the same rung that came before, and of
the parents along the other groups of axes; and of the band's mean.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

PASSES = (0, 4, 2, 1, 6, 5, 3, 7)
"""Parities in the order of coding; bits 2, 1, 0 say which of the last three coordinates are odd."""

SIDES = (4, 2, 1, 6, 5, 3, 7)
"""Kinds of neighbours: bits 2, 1, 0 say along which of the last three axes they are one further."""

OWN, MAPS, MEAN = 7, 9, 18
"""Places of weights: neighbours by kind; wide means of the tile; own, wide and wider of three maps; the band's mean."""

WEIGHTS = 19
UNIT = 128
"""A weight of 1."""

MAGNITUDES = np.array([0, 16, 29, 40, 50, 58, 66, 72, 78, 85, 91, 96, 101, 106, 110, 115], np.int32)
"""What a token counts as, in sixteenths: large ones for less than they are."""

TOP = len(MAGNITUDES) - 1
WIDE_SHIFT = 6
PLACES = 12
FIRST_CLASS = 48
CLASSES = 60
"""Classes of an expected magnitude E, in units of 2^-23: 4 log2(E), with two bits of mantissa, from `FIRST_CLASS` on."""


def known_before(number: int) -> tuple[int, ...]:
    """Parities that are known when a pass is coded."""
    return PASSES[:number]


def neighbours(number: int) -> list[tuple[int, int, tuple[int, int, int]]]:
    """Known neighbours of the coefficients of a pass: kind, parity, and shift in cells along each axis."""
    found = []
    for offset in itertools.product((-1, 0, 1), repeat=3):
        kind = sum(abs(o) << bit for o, bit in zip(offset, (2, 1, 0), strict=True))
        parity = PASSES[number] ^ kind
        if kind and parity in known_before(number):
            odd = [PASSES[number] >> bit & 1 for bit in (2, 1, 0)]
            found.append((SIDES.index(kind), parity, tuple((p + o) // 2 for p, o in zip(odd, offset, strict=True))))
    return found  # type: ignore[return-value]


def divisors() -> NDArray[np.int64]:
    """By what the sums that weights belong to are divided, in units of 1 / 64, shape ``(8, MEAN)``; 0: nothing is known.

    Those of a map are for one band in it.
    """
    found = np.zeros((8, MEAN), np.int64)
    for number in range(8):
        for kind, _, _ in neighbours(number):
            found[number, kind] += 64
        found[number, OWN:MAPS] = 64 * 27 * number, 729 * number
        for first in range(MAPS, MEAN, 3):
            found[number, first : first + 3] = 64, 64 * 27 * 8, 729 * 8
    return found


def factors(weights: NDArray[np.int64], many: tuple[int, int, int], mean: int) -> NDArray[np.int64]:
    """What the sums of a band are multiplied by in each pass, and a constant, shape ``(8, WEIGHTS)``.

    What is not known counts as the band's mean.

    Parameters
    ----------
    weights
        Shape ``(8, WEIGHTS)``.
    many
        How many bands each map is a sum of.
    mean
        Of the band's magnitudes, in units of 1 / 256 of theirs.
    """
    divisor = divisors()
    for place, count in enumerate(many):
        divisor[:, MAPS + 3 * place : MAPS + 3 * place + 3] *= count
    known = divisor > 0
    part = (weights[:, :MEAN] * (2 * 64 << PLACES) + divisor) // np.where(known, 2 * divisor, 1)
    constant = weights[:, MEAN] + np.where(known, 0, weights[:, :MEAN]).sum(1)
    return np.concatenate([np.where(known, part, 0), (constant * mean << PLACES - 8)[:, None]], 1)
