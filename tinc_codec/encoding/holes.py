"""A hole: one value that takes a good part of a chunk in regions, such as a background of 0 or what a mask left.

Its edge would cost coefficients at every scale; its places, as a mask, cost little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends import choice
from tinc_codec.detail import foretell
from tinc_codec.detail.estimate import PRICE
from tinc_codec.detail.goals import STEPS
from tinc_codec.detail.work import EncodingWork
from tinc_codec.encoding.prepared import PreparedChunk

_SHARE = 1 / 50
"""Part of the samples that a hole has at least."""

_SCATTERED = 0.7
"""Borders of a voxel of the hole, along all axes, from which its mask takes too much: noise around one value."""

_LOOKED_AT = 2**16
"""Samples that the value is looked for in."""

_FOR_HOLE = 1 / 3
"""Part of a budget that the places of a hole may take."""

_EDGE = 4.0
"""Root mean square errors that a hole's edge has at least: a lower one costs next to no coefficients."""


@dataclass(frozen=True, eq=False)
class Hole:
    """Places that are for the model, and hold one value.

    Parameters
    ----------
    places
        Bool, shaped like the chunk's values.
    jump
        Mean difference, in the data's units, of the samples at its border to the value.
    """

    places: NDArray[np.bool_]
    jump: float


def left_out(chunk: PreparedChunk, rmse: float, budget: float = math.inf) -> PreparedChunk | None:
    """The chunk with its hole stored exactly.

    Parameters
    ----------
    rmse
        Root mean square error of the samples.
    budget
        Bytes that all may take.

    Returns
    -------
    PreparedChunk or None
        None: it has no hole whose edge shows at this error, or whose places take less than `_FOR_HOLE` of the budget.
    """
    hole = find(chunk)
    if hole is None or hole.jump < _EDGE * rmse:
        return None
    holed = chunk.without(hole.places)
    return holed if sum(map(len, holed.kept_exactly.values())) <= _FOR_HOLE * budget else None


def foretold(chunk: PreparedChunk, budget: int) -> PreparedChunk:
    """The chunk as it is or with its hole stored exactly, by what coefficients of both are foretold to cost.

    Parameters
    ----------
    budget
        Bytes that coefficients may take.
    """
    hole = find(chunk)
    if hole is None:
        return chunk
    return choice.with_coefficients(chunk.values.size, lambda work: _cheaper(chunk, hole, budget, work))


def _cheaper(chunk: PreparedChunk, hole: Hole, budget: int, work: EncodingWork) -> PreparedChunk:
    """See `foretold`."""
    plain = foretell.usual_coefficients(chunk.smooth, work)
    step = foretell.step(plain, budget)
    if hole.jump < _EDGE * step / STEPS:
        return chunk
    holed = chunk.without(hole.places)
    size = sum(map(len, holed.kept_exactly.values())) - sum(map(len, chunk.kept_exactly.values()))
    if size > _FOR_HOLE * budget:
        return chunk
    cost = foretell.cost(foretell.usual_coefficients(holed.smooth, work), step) + PRICE * 8 * size
    return holed if cost < foretell.cost(plain, step) else chunk


def find(chunk: PreparedChunk) -> Hole | None:
    """The hole of a chunk, if it has one."""
    samples = chunk.for_model(chunk.values).ravel()
    values, counts = np.unique(samples[:: max(1, samples.size // _LOOKED_AT)], return_counts=True)
    common = values[np.argmax(counts)]
    places = chunk.values == common
    if chunk.modelled is not None:
        places &= chunk.modelled
    size = np.count_nonzero(places)
    if size < _SHARE * places.size or size == samples.size:
        return None
    border = [np.nonzero(np.logical_xor(first, second)) for first, second in _neighbours(places)]
    number = sum(len(edge[0]) for edge in border)
    if number > _SCATTERED * size:
        return None
    sides = zip(_neighbours(chunk.filled), border, strict=True)
    jumps = sum(float(np.abs(first[edge].astype(np.float64) - second[edge]).sum()) for (first, second), edge in sides)
    return Hole(places, jumps / max(number, 1))


def _neighbours(volume: NDArray[Any]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Voxels and the next ones along each axis."""
    along = (np.moveaxis(volume, axis, 0) for axis in range(volume.ndim))
    return [(part[:-1], part[1:]) for part in along]
