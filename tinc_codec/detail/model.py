"""What the coefficients of a chunk are coded with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import MAGNITUDES, TOP
from tinc_codec.detail.layout import Layout
from tinc_codec.detail.tables import ClassTable


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
    tables: tuple[ClassTable, ...]


def magnitudes_of(numbers: NDArray[np.int32], shift: int) -> NDArray[np.int32]:
    """What numbers count as."""
    return np.asarray(MAGNITUDES[np.minimum(np.abs(numbers.astype(np.int64)) >> shift, TOP)])
