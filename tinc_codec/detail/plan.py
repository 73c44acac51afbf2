"""The plan of a packet: which axes are split together and how often, its bands, and the tiles that they are coded in.

Everything has four axes here; volumes of fewer get leading axes of length 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tinc_codec.runtime.lazy import lazy

AXES = 4

FRAMES = 2**12
"""Cells, with their borders, of the frames of a tile that are coded together."""

Shape = tuple[int, int, int, int]
Box = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Group:
    """Axes that are split together: the low band of all of them is split again, `depth` times in all."""

    axes: tuple[int, ...]
    depth: int


@dataclass(frozen=True)
class Band:
    """A band of the packet.

    Parameters
    ----------
    levels
        How often each group is split.
    high
        Along which axes the band is a high-pass one, after the last split.
    shape
        Number of coefficients along each axis; may hold 0.
    """

    levels: tuple[int, ...]
    high: tuple[int, ...]
    shape: Shape


@dataclass(frozen=True)
class Rung:
    """Bands that are split alike, so that their coefficients lie equally far apart.

    Parameters
    ----------
    levels
        How often each group is split.
    lows
        Length of the low half along each axis: the most coefficients that one of the bands has there.
    bands
        Numbers of its bands in `Plan.bands`, in the order of coding.
    tiles
        Number of tiles along each axis.
    parents
        For each group the number of the rung that is split once more there; -1: there is none.
    """

    levels: tuple[int, ...]
    lows: Shape
    bands: tuple[int, ...]
    tiles: Shape
    parents: tuple[int, ...]


@lru_cache(maxsize=256)
def lengths(length: int, depth: int) -> tuple[int, ...]:
    """Lengths of the low band along an axis after 0, 1, ..., `depth` splits."""
    chain = [length]
    for _ in range(depth):
        chain.append((chain[-1] + 1) // 2)
    return tuple(chain)


@dataclass(frozen=True)
class Plan:
    """How a volume is transformed and cut.

    Parameters
    ----------
    shape
        Of the volume.
    groups
        Every axis is in one of them.
    tile
        Most coefficients along an axis that a tile is made for; the last of an axis may have half as many again.
    """

    shape: Shape
    groups: tuple[Group, ...]
    tile: int

    @lazy
    def level(self) -> Shape:
        """How often each axis is split."""
        depth = {axis: group.depth for group in self.groups for axis in group.axes}
        return tuple(depth[axis] for axis in range(AXES))  # type: ignore[return-value]

    @lazy
    def _of_axis(self) -> tuple[int, ...]:
        number = {axis: number for number, group in enumerate(self.groups) for axis in group.axes}
        return tuple(number[axis] for axis in range(AXES))

    @lazy
    def rungs(self) -> tuple[Rung, ...]:
        """All rungs, coarse ones first; those that are split once more come before."""
        depths = [group.depth for group in self.groups]
        steps = itertools.product(*(range(min(1, depth), depth + 1) for depth in depths))
        order = sorted(steps, key=lambda levels: (-sum(levels), levels))
        number = {levels: place for place, levels in enumerate(order)}
        ends = list(itertools.accumulate((len(self._bands_of(levels)) for levels in order), initial=0))
        return tuple(self._rung(levels, number, range(*ends[place : place + 2])) for place, levels in enumerate(order))

    @lazy
    def bands(self) -> tuple[Band, ...]:
        """All bands, in the order of coding; the first is the low one along all axes."""
        return tuple(band for rung in self.rungs for band in self._bands_of(rung.levels))

    @property
    def coarse(self) -> int:
        """How many rungs, the first ones, have one tile each: they are coded together."""
        single = [math.prod(rung.tiles) == 1 for rung in self.rungs]
        return single.index(False) if False in single else len(single)

    def group_of(self, axis: int) -> int:
        """The number of the group that an axis is in."""
        return self._of_axis[axis]

    def stop(self, levels: Sequence[int]) -> tuple[int, ...]:
        """How often each group is still split where it is joined down to a level of each axis, but none too far.

        Axes of length 1 are whole at every level.
        """
        ends = []
        for group in self.groups:
            most = [levels[axis] for axis in group.axes if self.shape[axis] > 1]
            ends.append(min([group.depth, *most]))
        return tuple(ends)

    def serves(self, band: Band, stop: tuple[int, ...]) -> bool:
        """Whether a band is needed where each group is joined down to the level in `stop`."""
        return all(
            level > last or not any(band.high[axis] for axis in group.axes)
            for level, last, group in zip(band.levels, stop, self.groups, strict=True)
        )

    def lows(self, levels: tuple[int, ...]) -> Shape:
        """Lengths of the low band after so many splits of each group."""
        return tuple(  # type: ignore[return-value]
            lengths(n, levels[self._of_axis[axis]])[-1] for axis, n in enumerate(self.shape)
        )

    def splits(self, band: Band, axis: int) -> int:
        """Low halves of an axis, of what was longer than 1, less high ones: what its gain is a power of."""
        level = band.levels[self._of_axis[axis]]
        low = sum(n > 1 for n in lengths(self.shape[axis], level)[:level])
        return low - 2 * band.high[axis] if level else 0

    def frames(self, rung: Rung) -> int:
        """How many frames (indices of axis 0) of a tile are coded together: many where frames are tiny."""
        return max(1, FRAMES // math.prod((min(n, self.tile) + 1) // 2 + 2 for n in rung.lows[1:]))

    def tile_box(self, rung: Rung, tile: tuple[int, ...], shape: Shape) -> Box:
        """Where a tile begins and ends along each axis of a band of `shape`."""
        return tuple(
            (min(t * self.tile, n), n if t == count - 1 else min((t + 1) * self.tile, n))
            for t, count, n in zip(tile, rung.tiles, shape, strict=True)
        )

    def parent_tile(self, rung: Rung, tile: tuple[int, ...], group: int) -> tuple[int, ...]:
        """The tile of the parent along a group that holds all parents of this tile's coefficients."""
        tiles = self.rungs[rung.parents[group]].tiles
        return tuple(min(t // 2 if self._of_axis[axis] == group else t, tiles[axis] - 1) for axis, t in enumerate(tile))

    def _bands_of(self, levels: tuple[int, ...]) -> list[Band]:
        choices = []
        for group, level in zip(self.groups, levels, strict=True):
            highs = list(itertools.product((0, 1), repeat=len(group.axes))) if level else [(0,) * len(group.axes)]
            choices.append([high for high in highs if any(high) or level == group.depth])
        bands = []
        for chosen in itertools.product(*choices):
            high = [0] * AXES
            for group, bits in zip(self.groups, chosen, strict=True):
                for axis, bit in zip(group.axes, bits, strict=True):
                    high[axis] = bit
            shape = [
                lengths(n, levels[self._of_axis[axis]])[-2] // 2 if high[axis] else low
                for axis, (n, low) in enumerate(zip(self.shape, self.lows(levels), strict=True))
            ]
            bands.append(Band(levels, tuple(high), tuple(shape)))  # type: ignore[arg-type]
        return sorted(bands, key=lambda band: (sum(band.high), band.high))

    def _rung(self, levels: tuple[int, ...], number: dict[tuple[int, ...], int], bands: range) -> Rung:
        lows = self.lows(levels)
        tiles = tuple(max(1, (n + self.tile // 2) // self.tile) for n in lows)
        parents = []
        for group in range(len(levels)):
            deeper = (*levels[:group], levels[group] + 1, *levels[group + 1 :])
            parents.append(number.get(deeper, -1) if levels[group] else -1)
        return Rung(levels, lows, tuple(bands), tiles, tuple(parents))  # type: ignore[arg-type]


@lru_cache(maxsize=64)
def shared(plan: Plan) -> Plan:
    """One plan for all that are equal: the chunks of an array have few, whose bands are then found once."""
    return plan
