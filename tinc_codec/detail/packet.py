"""A volume as the bands of its packet, and back: whole, a box of it, or a coarser level."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Protocol

from tinc_codec.detail.plan import AXES, Band, Box, Plan, lengths

REACH = 4
"""A sample depends on coefficients up to so many samples away, at each level."""

High = tuple[int, ...]
Ranges = tuple[tuple[tuple[int, int], ...], ...]
Join = Callable[[Any, Any, int], Any]


class Transform(Protocol):
    """Who splits samples; arrays lie where the work is done."""

    def forward(self, samples: Any, axis: int) -> tuple[Any, Any]:
        """Low and high half of an axis, in floats."""


Splits = dict[tuple[Any, ...], dict[High, Any]]
"""Pieces by what was split before: how often which axes, and which halves were taken."""


def forward(volume: Any, plan: Plan, work: Transform, known: Splits | None = None) -> list[Any]:
    """Coefficients of every band of the plan, as floats; arrays lie where the work is done.

    Parameters
    ----------
    known
        Splits of the same volume that other plans made, and that this one adds to.
    """
    known = {} if known is None else known
    parts: dict[tuple[tuple[int, ...], High], Any] = {((), (0,) * AXES): volume}
    for number, group in enumerate(plan.groups):
        split: dict[tuple[tuple[int, ...], High], Any] = {}
        before = tuple(each.axes for each in plan.groups[:number])
        for (levels, high), part in parts.items():
            low = part
            for level in range(1, group.depth + 1):
                made = (before, levels, high, group.axes, level)
                if made not in known:
                    known[made] = _split(low, group.axes, work)
                pieces = dict(known[made])
                low = pieces.pop((0,) * AXES)
                for more, piece in pieces.items():
                    split[(*levels, level), _both(high, more)] = piece
            split[(*levels, group.depth), high] = low
        parts = split
    return [parts[band.levels, band.high] for band in plan.bands]


def _both(one: High, other: High) -> High:
    return tuple(a | b for a, b in zip(one, other, strict=True))


def _split(low: Any, axes: tuple[int, ...], work: Transform) -> dict[High, Any]:
    pieces: dict[High, Any] = {(0,) * AXES: low}
    for axis in axes:
        halves = {}
        for high, piece in pieces.items():
            halves[high], halves[_both(high, _only(axis))] = work.forward(piece, axis)
        pieces = halves
    return pieces


def _only(axis: int) -> High:
    return tuple(int(number == axis) for number in range(AXES))


def ranges(plan: Plan, box: Box, stop: tuple[int, ...]) -> Ranges:
    """What a box needs of the low band at each level of each axis, as (begin, end).

    Parameters
    ----------
    box
        On the grid that is left after `stop` splits of each group; not empty.
    """
    chains = []
    for axis, depth in enumerate(plan.level):
        chain, first = lengths(plan.shape[axis], depth), stop[plan.group_of(axis)]
        reached = [box[axis]] * (first + 1)
        for length in chain[first + 1 :]:
            begin, end = reached[-1]
            reached.append((max(0, (begin - REACH) // 2), min(length, (end + REACH + 1) // 2)))
        chains.append(tuple(reached))
    return tuple(chains)


def band_box(plan: Plan, band: Band, reached: Ranges) -> Box:
    """What is needed of a band."""
    place = []
    for axis, n in enumerate(band.shape):
        begin, end = reached[axis][band.levels[plan.group_of(axis)]]
        place.append((min(begin, n), min(end, n)))
    return tuple(place)


def inverse(plan: Plan, coefficients: Callable[[Band], Any], reached: Ranges, stop: tuple[int, ...], join: Join) -> Any:
    """Samples of the box that `reached` was found for, int32; arrays lie where the work is done.

    Parameters
    ----------
    coefficients
        Gives what `band_box` says of a band.
    join
        Joins both halves of an axis, see `tinc_codec.detail.lifting.inverse`.
    """
    parts = {(band.levels, band.high): coefficients(band) for band in plan.bands if plan.serves(band, stop)}
    for number in reversed(range(len(plan.groups))):
        group, joined = plan.groups[number], {}
        for (levels, high), lowest in parts.items():
            if any(high[axis] for axis in group.axes):
                continue
            low = lowest
            for level in range(group.depth, stop[number], -1):
                pieces = {more: parts[(*levels[:number], level), _both(high, more)] for more in _highs(group.axes)}
                low = _join({(0,) * AXES: low, **pieces}, group.axes, reached, level, join)
            joined[levels[:number], high] = low
        parts = joined
    return parts[(), (0,) * AXES]


def _highs(axes: tuple[int, ...]) -> list[High]:
    """Every way in which a band can be a high one along some of the axes."""
    every = itertools.product((0, 1), repeat=len(axes))
    return [
        tuple(dict(zip(axes, bits, strict=True)).get(axis, 0) for axis in range(AXES)) for bits in every if any(bits)
    ]


def _join(pieces: dict[High, Any], axes: tuple[int, ...], reached: Ranges, level: int, join: Join) -> Any:
    """The low band of the level before, cut to what is needed of it."""
    for axis in reversed(axes):
        begin = 2 * reached[axis][level][0]
        first, last = reached[axis][level - 1]
        cut = tuple(slice(first - begin, last - begin) if number == axis else slice(None) for number in range(AXES))
        pieces = {
            high: join(piece, pieces[_both(high, _only(axis))], axis)[cut]
            for high, piece in pieces.items()
            if not high[axis]
        }
    return pieces[(0,) * AXES]
