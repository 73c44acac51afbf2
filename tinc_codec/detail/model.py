"""What the coefficients of a chunk are coded with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import MAGNITUDES, TOP
from tinc_codec.detail.layout import Layout
from tinc_codec.detail.tables import ClassTables


@dataclass(frozen=True, eq=False)
class Model:
    """Tables of a chunk.

    Parameters
    ----------
    layout
        Where they lie.
    weights
        Of the expected magnitude.
    means
        Of each band, in units of 1 / 256 of what magnitudes count; 0: all are 0.
    shifts
        Low bits of each band that are stored as they are.
    tables
        Of the classes.
    """

    layout: Layout
    weights: NDArray[np.int64]
    means: NDArray[np.int64]
    shifts: NDArray[np.uint8]
    tables: ClassTables


def tokens_of(numbers: NDArray[np.int32], shift: int | NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Tokens of numbers of a band with so many low bits, or of several, each with its own."""
    bits = np.uint32(shift) if isinstance(shift, int) else shift
    return np.asarray(np.minimum(np.abs(numbers).view(np.uint32) >> bits, np.uint32(TOP)))


def magnitudes_of(numbers: NDArray[np.int32], shift: int | NDArray[np.uint32]) -> NDArray[np.uint8]:
    """What numbers count as."""
    return np.asarray(MAGNITUDES[tokens_of(numbers, shift)])
