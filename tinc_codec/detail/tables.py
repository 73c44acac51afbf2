"""Probabilities of tokens, tables for each class of expected magnitude, made of three small numbers each.

The numbers are logits, in eighths: of being 0, of being above 1 where it is not 0, and of each further step up.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream.entropy import PRECISION, TOTAL, Table, all_frequencies

TOKENS = 16
ESCAPE = TOKENS - 1
"""The token of all magnitudes from 15 on."""

LARGEST_LOGIT = 96
LONGEST_RUN = 12
FEWEST_RUN = 3
"""Classes whose zeros are likely enough that 2^3 of them in a row are more likely than not are coded by runs."""

LEAST_MEMBERS = 32
"""Coefficients of such a class in a pass from which on they are coded by runs."""

_ZERO = (
    *(85, 73, 67, 62, 59, 59, 56, 56, 53, 53, 51, 50, 49, 47, 46, 45, 46, 41, 40, 38),
    *(36, 33, 32, 30, 30, 27, 25, 24, 23, 21, 18, 17, 16, 14, 12, 11, 9, 7, 5, 3),
    *(0, -2, -4, -6, -8, -11, -13, -14, -16, -19, -21, -23, -27, -31, -34, -37, -40, -43, -46, -49),
)
_ABOVE_ONE = (
    *(-27, -27, -27, -27, -27, -27, -27, -27, -27, -26, -25, -24, -25, -26, -28, -29, -30, -30, -29, -29),
    *(-29, -29, -29, -28, -27, -28, -28, -28, -27, -25, -25, -25, -25, -25, -24, -23, -21, -19, -17, -16),
    *(-13, -9, -7, -4, -1, 3, 5, 7, 10, 13, 16, 18, 21, 26, 32, 36, 40, 44, 48, 52),
)
_FURTHER = (
    *(-20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -19, -18, -18, -19),
    *(-19, -19, -19, -18, -16, -15, -14, -14, -14, -13, -12, -12, -11, -10, -10, -9, -9, -9, -9, -8),
    *(-7, -6, -4, -3, -1, 2, 4, 5, 8, 10, 12, 15, 18, 26, 32, 36, 40, 44, 48, 52),
)
DEFAULTS = np.array([_ZERO, _ABOVE_ONE, _FURTHER], np.int32)
"""Logits of the format, found on real volumes; shape ``(3, CLASSES)``."""


@lru_cache(maxsize=1)
def logistic() -> NDArray[np.int64]:
    """2^24 / (1 + exp(-z / 8)) to the nearest integer, for z from -`LARGEST_LOGIT` to `LARGEST_LOGIT`."""
    with localcontext() as context:
        context.prec = 40
        shares = [2**PRECISION / (1 + (Decimal(-z) / 8).exp()) for z in range(-LARGEST_LOGIT, LARGEST_LOGIT + 1)]
        return np.array([int(share.to_integral_value()) for share in shares], np.int64)


@dataclass(frozen=True, eq=False)
class ClassTable:
    """Tables of one class.

    Parameters
    ----------
    tokens
        All tokens.
    above_zero
        Tokens from 1 on, as 0, 1, ...
    runs
        For k from 0 on: whether any of 2^k symbols is not 0; empty where they are coded one by one.
    """

    tokens: Table
    above_zero: Table
    runs: tuple[Table, ...]


@dataclass(frozen=True, eq=False)
class ClassTables:
    """Tables of all classes, as arrays of shares of 2^24.

    Parameters
    ----------
    logits
        Of each class, within ±`LARGEST_LOGIT`, shape ``(3, classes)``.
    """

    logits: NDArray[np.integer]

    @lazy
    def _weights(self) -> NDArray[np.int64]:
        """Of each token, before they are made to sum to 2^24; shape ``(classes, TOKENS)``."""
        zero, more, further = logistic()[self.logits + LARGEST_LOGIT]
        weights = np.empty((len(zero), TOKENS), np.int64)
        weights[:, 0], rest = zero, TOTAL - zero
        for token in range(1, TOKENS - 1):
            on = rest * (more if token == 1 else further) >> PRECISION
            weights[:, token], rest = rest - on, on
        weights[:, TOKENS - 1] = rest
        return weights

    @lazy
    def tokens(self) -> NDArray[np.int64]:
        """Of all tokens, shape ``(classes, TOKENS)``."""
        return all_frequencies(self._weights)

    @lazy
    def above_zero(self) -> NDArray[np.int64]:
        """Of tokens from 1 on, shape ``(classes, TOKENS - 1)``."""
        return all_frequencies(self._weights[:, 1:])

    @lazy
    def zeros(self) -> NDArray[np.int64]:
        """That 2^k symbols are all 0, shape ``(classes, LONGEST_RUN + 1)``; not said where runs are shorter: 0."""
        zeros = np.zeros((len(self.tokens), LONGEST_RUN + 1), np.int64)
        zeros[:, 0] = self.tokens[:, 0]
        for k in range(LONGEST_RUN):
            squares = zeros[:, k] * zeros[:, k] >> PRECISION
            zeros[:, k + 1] = np.where(squares >= TOTAL // 2, squares, 0)
        zeros[np.count_nonzero(zeros, axis=1) <= FEWEST_RUN] = 0
        return zeros

    @lazy
    def _each(self) -> tuple[ClassTable, ...]:
        rows = zip(self.tokens, self.above_zero, self.zeros, strict=True)
        return tuple(ClassTable(Table(tokens), Table(above), _runs(zeros)) for tokens, above, zeros in rows)

    def __getitem__(self, number: int) -> ClassTable:
        """Tables of one class."""
        return self._each[number]


def _runs(zeros: NDArray[np.int64]) -> tuple[Table, ...]:
    return tuple(Table(np.array([zero, TOTAL - zero], np.int64)) for zero in zeros[zeros > 0].tolist())


def class_tables(deltas: NDArray[np.integer]) -> ClassTables:
    """Tables of a chunk, from the differences of its logits to the defaults."""
    return ClassTables(np.clip(DEFAULTS + deltas, -LARGEST_LOGIT, LARGEST_LOGIT))
