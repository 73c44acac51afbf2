"""Where the numbers of a chunk lie: bands one after the other, their parents, and the boxes of each piece."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.plan import AXES, Band, Plan
from tinc_codec.runtime.lazy import lazy


@dataclass(frozen=True, eq=False)
class Piece:
    """What is coded together: bands, in the order of coding, and the box of each.

    It can be coded when those in `needs`, which come before it, are known.
    """

    bands: NDArray[np.int64]
    boxes: NDArray[np.int64]
    needs: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return int((self.boxes[:, :, 1] - self.boxes[:, :, 0]).prod(1).sum())


@dataclass(frozen=True, eq=False)
class Layout:
    """Tables of a plan.

    Parameters
    ----------
    bands
        Offset among the chunk's numbers, and shape, of each band: shape ``(bands, 5)``.
    first
        For each band the first one of its rung.
    parents
        For each band its parent along each group; -1: there is none.
    halves
        For each group the axes along which a parent is split once more: bits 3 to 0.
    frames
        For each band how many frames of a tile are coded together.
    pieces
        The first is that of the coarse rungs.
    numbers
        For each rung, its tiles' numbers among the pieces, shaped like the tiles.
    """

    bands: NDArray[np.int64]
    first: NDArray[np.int64]
    parents: NDArray[np.int64]
    halves: NDArray[np.int64]
    frames: NDArray[np.int64]
    pieces: tuple[Piece, ...]
    numbers: tuple[NDArray[np.int64], ...]

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return int(self.bands[-1, 0] + np.prod(self.bands[-1, 1:]))

    @lazy
    def outer(self) -> tuple[int, ...]:
        """Pieces that no other is predicted from; the first is none of them."""
        needed = {0}.union(*(piece.needs for piece in self.pieces))
        return tuple(number for number in range(len(self.pieces)) if number not in needed)

    def with_needs(self, pieces: Iterable[int]) -> tuple[int, ...]:
        """Pieces with all that they are predicted from, and the first, ascending."""
        reached, waiting = {0}, list(pieces)
        while waiting:
            number = waiting.pop()
            if number not in reached:
                reached.add(number)
                waiting += self.pieces[number].needs
        return tuple(sorted(reached))

    def view(self, flat: NDArray[Any], band: int) -> NDArray[Any]:
        """The part of what all coefficients have, in order, that is a band's."""
        offset, *shape = self.bands[band].tolist()
        return flat[offset : offset + int(np.prod(shape))].reshape(shape)


@lru_cache(maxsize=32)
def layout(plan: Plan) -> Layout:
    """Lay out a plan."""
    sizes = [int(np.prod(band.shape)) for band in plan.bands]
    offsets = np.cumsum([0, *sizes])[:-1]
    bands = np.array([(offset, *band.shape) for offset, band in zip(offsets, plan.bands, strict=True)], np.int64)
    first = np.concatenate([np.full(len(rung.bands), rung.bands[0], np.int64) for rung in plan.rungs])
    frames = np.concatenate([np.full(len(rung.bands), plan.frames(rung), np.int64) for rung in plan.rungs])
    halves = np.array([sum(1 << (AXES - 1 - axis) for axis in group.axes) for group in plan.groups], np.int64)
    pieces, numbers = _pieces(plan)
    return Layout(bands, first, _parents(plan), halves, frames, tuple(pieces), tuple(numbers))


def _parents(plan: Plan) -> NDArray[np.int64]:
    number = {(band.levels, band.high): place for place, band in enumerate(plan.bands)}
    return np.array([[_parent(plan, band, group, number) for group in range(len(plan.groups))] for band in plan.bands])


def _parent(plan: Plan, band: Band, group: int, number: dict[tuple[tuple[int, ...], tuple[int, ...]], int]) -> int:
    levels = (*band.levels[:group], band.levels[group] + 1, *band.levels[group + 1 :])
    return number.get((levels, band.high), -1) if band.levels[group] else -1


def _pieces(plan: Plan) -> tuple[list[Piece], list[NDArray[np.int64]]]:
    coarse = [(rung, (0,) * AXES) for rung in plan.rungs[: plan.coarse]]
    jobs, needs = [coarse], [tuple[int, ...]()]
    numbers: list[NDArray[np.int64]] = [np.zeros(rung.tiles, np.int64) for rung in plan.rungs]
    for place, rung in enumerate(plan.rungs[plan.coarse :], start=plan.coarse):
        for tile in np.ndindex(*rung.tiles):
            numbers[place][tile] = len(jobs)
            jobs.append([(rung, tile)])
            parents = [(group, parent) for group, parent in enumerate(rung.parents) if parent >= 0]
            need = {int(numbers[parent][plan.parent_tile(rung, tile, group)]) for group, parent in parents}
            needs.append(tuple(sorted(need)))
    pieces = []
    for job, needed in zip(jobs, needs, strict=True):
        bands = [band for rung, _ in job for band in rung.bands]
        boxes = [plan.tile_box(rung, tile, plan.bands[band].shape) for rung, tile in job for band in rung.bands]
        pieces.append(Piece(np.array(bands, np.int64), np.array(boxes, np.int64).reshape(-1, AXES, 2), needed))
    return pieces, numbers
