"""Pieces that are alike, to be worked on at once: what they do is the same in all but where they lie."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.layout import Layout
from tinc_codec.detail.sample import Sample

MOST = 2**24
"""Coefficients of a band in a batch, at most, unless one piece has more: each takes about 100 bytes meanwhile."""

Lengths = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Batch:
    """Pieces of one wave, with the same bands, whose boxes have the same lengths.

    Parameters
    ----------
    bands
        In the order of coding.
    lengths
        Of the boxes of each band, along each axis.
    begins
        Where they begin, shape ``(bands, pieces, AXES)``.
    weight
        For how many each of the pieces stands.
    """

    bands: tuple[int, ...]
    lengths: tuple[Lengths, ...]
    begins: NDArray[np.int64]
    weight: float


def batches(sample: Sample) -> tuple[Batch, ...]:
    """The pieces of a sample in batches: those that need others come after them."""
    return _batches(sample.layout, sample.pieces, tuple(sample.weights.tolist()))


@lru_cache(maxsize=8)
def _batches(layout: Layout, numbers: tuple[int, ...], weights: tuple[float, ...]) -> tuple[Batch, ...]:
    alike = defaultdict[tuple[int, bytes, bytes, float], list[int]](list)
    waves = _waves(layout)
    for number, weight in zip(numbers, weights, strict=True):
        piece = layout.pieces[number]
        lengths = piece.boxes[:, :, 1] - piece.boxes[:, :, 0]
        alike[waves[number], piece.bands.tobytes(), lengths.tobytes(), weight].append(number)
    ordered = sorted(alike.items(), key=lambda item: item[0][0])  # stable: as they come within a wave
    return tuple(batch for (_, _, _, weight), some in ordered for batch in _cut(layout, some, weight))


def _waves(layout: Layout) -> list[int]:
    """Of each piece, how many others are done one after the other before it."""
    waves: list[int] = []
    for piece in layout.pieces:  # in order: those that a piece needs come before it
        waves.append(1 + max((waves[other] for other in piece.needs), default=-1))
    return waves


def _cut(layout: Layout, numbers: list[int], weight: float) -> list[Batch]:
    """Batches of pieces that are alike."""
    first = layout.pieces[numbers[0]]
    lengths = first.boxes[:, :, 1] - first.boxes[:, :, 0]
    together = max(1, MOST // max(1, int(lengths.prod(1).max(initial=0))))
    shared = tuple(first.bands.tolist()), tuple(map(tuple, lengths.tolist()))
    cuts = (numbers[begin : begin + together] for begin in range(0, len(numbers), together))
    return [
        Batch(*shared, np.stack([layout.pieces[number].boxes[:, :, 0] for number in some], 1), weight) for some in cuts
    ]


@lru_cache(maxsize=256)
def looked_at(frames: int, together: int, cells: int, every: int) -> NDArray[np.int64]:
    """Which coefficients of a pass over a tile are looked at, where of so many in order one is, that in the middle.

    Parameters
    ----------
    frames
        Of the tile.
    together
        How many of them are coded together: order begins anew after them.
    cells
        Coefficients of a frame in this pass.
    every
        One of how many.
    """
    order = np.arange(frames)[:, None] % together * cells + np.arange(cells)
    return np.flatnonzero(order.ravel() % every == every // 2)
