"""Probabilities of tokens, one table for each class of expected magnitude, made of three small numbers each.

The numbers are logits, in eighths: of being 0, of being above 1 where it is not 0, and of each further step up.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream.entropy import PRECISION, Table, count_frequencies

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


def token_weights(logits: NDArray[np.integer]) -> list[int]:
    """Weights of the tokens of one class, from its three logits."""
    zero, more, further = (int(logistic()[z + LARGEST_LOGIT]) for z in logits.tolist())
    weights, rest = [zero], (1 << PRECISION) - zero
    for step in (more, *(further,) * (TOKENS - 3)):
        on = rest * step >> PRECISION
        weights.append(rest - on)
        rest = on
    return [*weights, rest]


@dataclass(frozen=True, eq=False)
class ClassTable:
    """Tables of one class."""

    logits: NDArray[np.integer]

    @lazy
    def tokens(self) -> Table:
        """All tokens."""
        return Table(count_frequencies(token_weights(self.logits)))

    @lazy
    def above_zero(self) -> Table:
        """Tokens from 1 on, as 0, 1, ..."""
        return Table(count_frequencies(token_weights(self.logits)[1:]))

    @lazy
    def runs(self) -> tuple[Table, ...]:
        """For k from 0 on: whether any of 2^k symbols is not 0; empty where they are coded one by one."""
        assert self.tokens.frequencies is not None
        zeros = [int(self.tokens.frequencies[0])]
        while zeros[-1] * zeros[-1] >> PRECISION >= 1 << (PRECISION - 1) and len(zeros) <= LONGEST_RUN:
            zeros.append(zeros[-1] * zeros[-1] >> PRECISION)
        if len(zeros) <= FEWEST_RUN:
            return ()
        return tuple(Table(np.array([zero, (1 << PRECISION) - zero], np.int64)) for zero in zeros)


def class_tables(deltas: NDArray[np.integer]) -> tuple[ClassTable, ...]:
    """Tables of a chunk, from the differences of its logits to the defaults."""
    logits = np.clip(DEFAULTS + deltas, -LARGEST_LOGIT, LARGEST_LOGIT)
    return tuple(ClassTable(logits[:, number]) for number in range(CLASSES))
