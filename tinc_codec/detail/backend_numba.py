"""Pieces by the compiled walk."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.coding_numba import Lookups, finish, lookups
from tinc_codec.detail.contexts import CLASSES, WEIGHTS, divisors
from tinc_codec.detail.layout import Layout, Piece
from tinc_codec.detail.section import Parameters
from tinc_codec.detail.tables import TOKENS
from tinc_codec.detail.walk_numba import GATHER, QUANTISE, READ, WRITE, Setup, Work, walk
from tinc_codec.stream.ans import to_bytes, to_words

_NO_WORDS = np.zeros(0, np.uint32)
_SYMBOLS_EACH = 6


def setup(plan: Layout, weights: NDArray[np.int64], means: NDArray[np.int64], shifts: NDArray[np.uint8]) -> Setup:
    """What is common to all tiles."""
    return Setup(
        plan.bands, plan.first, plan.parents, plan.halves, divisors(), weights, means, shifts.astype(np.int64)
    )


def work(**given: Any) -> Work:
    """Arrays of one kind of walk."""
    empty: dict[str, Any] = {
        "words": _NO_WORDS,
        "symbols": np.zeros((0, 2), np.uint32),
        "coefficients": np.zeros(0, np.float32),
        "steps": np.zeros(0),
        "costs": np.zeros((0, TOKENS)),
        "price": np.zeros(1),
        "histogram": np.zeros((0, TOKENS), np.int64),
        "bits": np.zeros(1),
        "normal": np.zeros((0, WEIGHTS + 1, WEIGHTS + 1)),
    }
    return Work(**{**empty, **given})
