"""What a compiled walk is given, and the arrays that it works in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.contexts import CLASSES


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
    GATHER: `normal`, equations of each pass, right of the diagonal, from one of `every` so many coefficients.
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
    every: Any


class Space(NamedTuple):
    """Arrays to work in, for one shape of the frames of a tile that are coded together.

    `masks`: of each map, which bits of a parity it is told apart by; the others are 0 where it is looked up.
    `sums`, `rung`: sums of all parities of the tile, and of the bands of its rung that came before; `stale`: whether
    the former have grown since their wide sums were made.
    `where`, `values`: tokens of a pass; those that were read are the ones that are not 0.
    `starts`, `there`: where each row of a pass begins among the cells, and among all numbers.
    """

    shape: Any
    volume: Any
    own: Any
    own_wide: Any
    maps: Any
    maps_wide: Any
    masks: Any
    sums: Any
    stale: Any
    rung: Any
    spare: Any
    total: Any
    floats: Any
    bits: Any
    classes: Any
    starts: Any
    there: Any
    where: Any
    values: Any
    order: Any
    places: Any
    same: Any


@jit
def space(frames: int, shape: Any) -> Space:
    """Arrays for so many frames of three axes."""
    cells = (shape + 1) // 2
    size = frames * (cells[0] + 2) * (cells[1] + 2) * (cells[2] + 2)
    rows = frames * cells[0] * cells[1]
    most = rows * cells[2]
    floats = np.empty(most, np.float32)
    return Space(
        np.array([frames, shape[0], shape[1], shape[2]]),
        np.empty((frames, shape[0], shape[1], shape[2]), np.int32),
        np.empty((8, size), np.int32),
        np.empty((2, size), np.int32),
        np.empty((3, 8, size), np.int32),
        np.empty((3, 2, size), np.int32),
        np.full(3, 7),
        np.empty(size, np.int32),
        np.zeros(1, np.bool_),
        np.empty(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        floats,
        floats.view(np.int32),
        np.empty(most, np.uint8),
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
        np.empty(most + 1, np.int32),
        np.empty(most + 1, np.uint8),
        np.empty(most, np.int32),
        np.empty((2, CLASSES), np.int64),
        np.arange(most).astype(np.int32),
    )


@jit
def fits(w: Space, frames: int, shape: Any) -> Any:
    """Whether the arrays are those of so many frames of this shape."""
    return w.shape[0] == frames and (w.shape[1:] == shape).all()
