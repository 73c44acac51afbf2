"""What a compiled walk is given, and the arrays that it works in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinc_codec.backends.numba.compiler import jit


class Setup(NamedTuple):
    """What is common to all tiles of a chunk.

    `bands`: offset and shape of each; `first`: of each, the first band of its rung; `parents`: of each, its parent
    along each group, or -1; `halves`: of each group, the axes that a parent is split along once more, as bits 3 to 0;
    `frames`: of each band, how many of a tile are coded together.
    """

    bands: Any
    first: Any
    parents: Any
    halves: Any
    frames: Any
    divisors: Any
    weights: Any
    means: Any
    shifts: Any


class Task(NamedTuple):
    """What one kind of walk works on; the others leave it empty.

    READ: `words`. WRITE: `symbols`, and `bits` that lie under them. QUANTISE: `coefficients`, `steps` of
    each band, `costs` in bits of each token in each class, `price` of a bit in squared steps; out: `histogram`, tokens
    in classes, and `sums` of each band.
    GATHER: `normal`, equations of each pass.
    """

    words: Any
    symbols: Any
    bits: Any
    coefficients: Any
    steps: Any
    costs: Any
    price: Any
    histogram: Any
    sums: Any
    normal: Any


class Space(NamedTuple):
    """Arrays to work in, for one shape of the frames of a tile that are coded together."""

    own: Any
    own_wide: Any
    maps: Any
    maps_wide: Any
    sums: Any
    spare: Any
    total: Any
    floats: Any
    bits: Any
    classes: Any
    volume: Any
    places: Any
    there: Any
    values: Any
    order: Any
    same: Any


@jit
def space(frames: int, shape: Any, cells: Any) -> Space:
    """Arrays for so many frames of three axes."""
    size = frames * (cells[0] + 2) * (cells[1] + 2) * (cells[2] + 2)
    floats = np.zeros(size)
    most = frames * cells[0] * cells[1] * cells[2]
    return Space(
        np.zeros((8, size), np.int32),
        np.zeros((2, size), np.int32),
        np.zeros((3, 8, size), np.int32),
        np.zeros((3, 2, size), np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        floats,
        floats.view(np.int64),
        np.zeros(size, np.int32),
        np.zeros((frames, shape[0], shape[1], shape[2]), np.int32),
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
        np.arange(most),
    )
