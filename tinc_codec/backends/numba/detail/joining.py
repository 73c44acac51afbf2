"""Bands joined to samples, compiled: the integers of `tinc_codec.detail.joining`, few passes over memory.

What is needed of all bands is entered into one volume: along each axis the low half at the front, the high halves of
each level behind it, the finest last. There, both halves of an axis are joined in place. What happens within a plane
of the last two axes is done plane by plane, what happens along the others in blocks of columns.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.lifting import COLUMNS, join_columns, join_rows
from tinc_codec.backends.numba.detail.scale import enter_row
from tinc_codec.detail.joining import Joining, Source
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import AXES, Group, Plan, lengths
from tinc_codec.detail.scale import Scale
from tinc_codec.runtime.threads import share

_TOGETHER = 2**11
"""Numbers of rows that are joined in one line."""

_WORTH = 2**16
"""Samples that are worth a thread."""


_AXIS, _LOW, _BEGIN, _HIGH, _FIRST, _LENGTH, _ACROSS = range(7)
"""A step joins both halves of an axis at a level: how many there are of the low one, which lies in front, where the
high one begins and how many it has, what is kept of what they give, and how many rows or columns are to be joined.
"""


class _Along(NamedTuple):
    """Steps along one of the first two axes: where blocks of columns begin, the stride of their samples, how many."""

    begins: NDArray[np.int64]
    stride: int
    columns: int
    steps: NDArray[np.int64]


class _Phase(NamedTuple):
    """What is done plane by plane, and then in columns.

    `bands`: what is entered, see `_bands`. `planes`: both coordinates of each, where it begins, and whether nothing is
    there yet.
    """

    bands: NDArray[np.int64]
    planes: NDArray[np.int64]
    steps: NDArray[np.int64]
    along: tuple[_Along, ...]


class _Tables(NamedTuple):
    """How to join: `shape` of the volume, `box` that comes out in its front, `splits` that bands have."""

    shape: tuple[int, ...]
    box: tuple[int, ...]
    splits: tuple[int, ...]
    phases: tuple[_Phase, ...]


def inverse(numbers: NDArray[np.int32], joining: Joining, scale: Scale) -> NDArray[np.int32]:
    """The box of samples, as integers of the scale, of four axes."""
    tables = _tables(joining)
    steps = np.array([scale.band_step(splits) for splits in tables.splits], np.int64)
    volume = np.empty(math.prod(tables.shape), np.int32)
    for phase in tables.phases:
        if len(phase.bands) or len(phase.steps):
            _in_planes(numbers, volume, tables, phase, steps, scale)
        for along in phase.along:
            _in_columns(volume, along)
    return np.ascontiguousarray(volume.reshape(tables.shape)[tuple(map(slice, tables.box))])


def _in_planes(
    numbers: NDArray[np.int32],
    volume: NDArray[np.int32],
    tables: _Tables,
    phase: _Phase,
    steps: NDArray[np.int64],
    scale: Scale,
) -> None:
    rows, pitch = tables.shape[2:]
    given = numbers, volume, phase.bands, steps, scale.one, scale.more, phase.planes, phase.steps, rows, pitch
    share(lambda begin, end: _planes(*given, begin, end), [rows * pitch] * len(phase.planes), _WORTH)


def _in_columns(volume: NDArray[np.int32], along: _Along) -> None:
    blocks = -(-along.columns // COLUMNS)
    size = along.columns * int(along.steps[-1, _LENGTH]) / blocks
    costs = [size] * (blocks * len(along.begins))
    share(lambda begin, end: _columns(volume, *along, begin, end), costs, _WORTH)


class _Axis:
    """Where the halves of an axis lie in the volume, from level to level."""

    def __init__(self, joining: Joining, axis: int) -> None:
        plan, reached = joining.plan, joining.reached[axis]
        group = plan.group_of(axis)
        depth, stop = plan.groups[group].depth, joining.stop[group]
        chain = lengths(plan.shape[axis], depth)
        self.axis, self.steps = axis, dict[int, list[int]]()
        self.size = reached[depth][1] - reached[depth][0]
        self.length = reached[stop][1] - reached[stop][0]
        for level in range(depth, stop, -1):
            (begin, end), (first, last), most = reached[level], reached[level - 1], chain[level - 1] // 2
            high = min(end, most) - min(begin, most)
            self.steps[level] = [axis, end - begin, self.size, high, first - 2 * begin, last - first]
            self.size += high

    def place(self, level: int, high: int) -> int:
        """Where a half of a level begins."""
        return self.steps[level][_BEGIN] if high else 0

    def extent(self, level: int) -> int:
        """Where the high half of a level ends."""
        return self.steps[level][_BEGIN] + self.steps[level][_HIGH]


@lru_cache(maxsize=64)
def _tables(joining: Joining) -> _Tables:
    plan, axes = joining.plan, [_Axis(joining, axis) for axis in range(AXES)]
    shape, sources = [axis.size for axis in axes], joining.sources()
    splits = sorted({source.splits for source in sources})
    bands = _bands(plan, sources, axes, splits)
    last, region, phases = len(plan.groups) - 1, list(shape), list[_Phase]()
    for number in reversed(range(len(plan.groups))):
        group, of_band = plan.groups[number], np.array([source.band.levels[number] for source in sources])
        levels = list(range(group.depth, joining.stop[number], -1))
        for some in _together(group, levels):
            entered = np.isin(of_band, some) | (some == levels) if number == last else np.zeros(len(sources), bool)
            phases.append(_phase(axes, group, some, region, shape, bands[entered]))
    return _Tables(tuple(shape), tuple(axis.length for axis in axes), tuple(splits), tuple(phases))


def _bands(plan: Plan, sources: list[Source], axes: list[_Axis], splits: list[int]) -> NDArray[np.int64]:
    """Of each band: where it begins among all numbers, three strides, its place in the volume, its shape, its splits.

    The last is a number in `splits`.
    """
    rows, offsets = [], layout(plan).bands
    for source in sources:
        strides = np.cumprod([1, *source.band.shape[:0:-1]])[::-1]
        begins, shape = zip(*((begin, end - begin) for begin, end in source.box), strict=True)
        halves = zip(axes, source.band.high, strict=True)
        place = [axis.place(source.band.levels[plan.group_of(axis.axis)], high) for axis, high in halves]
        begin = offsets[source.number, 0] + (strides * begins).sum()
        rows.append([begin, *strides[:3], *place, *shape, splits.index(source.splits)])
    return np.array(rows, np.int64)


def _together(group: Group, levels: list[int]) -> list[list[int]]:
    """Levels that are joined in one phase: all, unless what is within planes depends on what is across them."""
    alone = len(group.axes) == 1 or min(group.axes) > 1
    return [levels] if alone or not levels else [[level] for level in levels]


def _phase(
    axes: list[_Axis], group: Group, levels: list[int], region: list[int], shape: list[int], bands: NDArray[np.int64]
) -> _Phase:
    """Join a group's levels; `region`, how much of each axis there is, follows."""
    inner, outer = ([axes[axis] for axis in reversed(group.axes) if (axis > 1) == within] for within in (True, False))
    steps, along = list[list[int]](), list[_Along]()
    for level in levels:
        for axis in (*inner, *outer):
            region[axis.axis] = axis.extent(level)
        for axis in inner:
            steps.append([*axis.steps[level], region[5 - axis.axis]])
            region[axis.axis] = axis.steps[level][_LENGTH]
    planes = _planes_of(region, shape, _known(group, levels, region, outer) if len(bands) else region)
    for axis in outer if levels else []:
        along.append(_along(axis, levels, region, shape))
        region[axis.axis] = axis.steps[levels[-1]][_LENGTH]
    return _Phase(bands, planes, np.array(steps, np.int64).reshape(-1, _ACROSS + 1), tuple(along))


def _known(group: Group, levels: list[int], region: list[int], outer: list[_Axis]) -> list[int]:
    """Along the first two axes, how many planes something is in before a phase that bands are entered in."""
    if not levels or levels[0] == group.depth:
        return [0, 0]
    begins = {axis.axis: axis.place(levels[0], 1) for axis in outer}
    return [begins.get(axis, region[axis]) for axis in range(2)]


def _planes_of(region: list[int], shape: list[int], known: list[int]) -> NDArray[np.int64]:
    """Of each plane: its coordinates, where it begins, and whether nothing is there yet."""
    t, z = (part.ravel() for part in np.indices(region[:2]))
    fresh = (t >= known[0]) | (z >= known[1])
    return np.stack([t, z, (t * shape[1] + z) * shape[2] * shape[3], fresh], 1).astype(np.int64)


def _along(axis: _Axis, levels: list[int], region: list[int], shape: list[int]) -> _Along:
    """Columns that lie one beside the other are joined together; those between them may not be what they will be."""
    strides = [math.prod(shape[other + 1 :]) for other in range(AXES)]
    steps = np.array([[*axis.steps[level], 0] for level in levels], np.int64)
    columns, others = 1, [other for other in range(AXES) if other != axis.axis]
    while others and columns == strides[others[-1]]:
        columns *= region[others.pop()]
    begins = np.zeros(1, np.int64)
    for other in others:
        begins = (begins[:, None] + strides[other] * np.arange(region[other])).ravel()
    return _Along(begins, strides[axis.axis], columns, steps)


@jit
def _enter(
    numbers: Any, bands: Any, scales: Any, one: int, more: int, t: int, z: int, fresh: bool, plane: Any, pitch: int
) -> Any:
    """Enter what bands have in a plane; whether any is not 0."""
    some = False
    for k in range(len(bands)):
        source, st, sz, sy, d0, d1, d2, d3, n0, n1, n2, n3, which = bands[k]
        if t < d0 or t >= d0 + n0 or z < d1 or z >= d1 + n1:
            continue
        source += (t - d0) * st + (z - d1) * sz
        for y in range(n2):
            begin, at = source + y * sy, (d2 + y) * pitch + d3
            out = plane[at : at + n3]
            entered = enter_row(numbers[begin : begin + n3], scales[which], one, more, out)
            some |= entered
            if not (entered or fresh):
                out[:] = 0
    return some


@jit
def _planes(
    numbers: Any, volume: Any, bands: Any, scales: Any, one: int, more: int, planes: Any, steps: Any, rows: int,
    pitch: int, first: int, last: int,
) -> None:  # fmt: skip
    """Enter bands into planes, and join what is within them."""
    spare = np.empty((2, rows, COLUMNS), np.int32)
    some_rows = max(1, min(rows, _TOGETHER // pitch))
    s, d = np.empty(some_rows * (pitch + 2) + 1, np.int32), np.empty(some_rows * (pitch + 2) + 1, np.int32)
    pairs = np.empty(pitch + 2, np.int64)
    for number in range(first, last):
        t, z, begin, fresh = planes[number]
        plane = volume[begin : begin + rows * pitch]
        if fresh:
            plane[:] = 0
        some = _enter(numbers, bands, scales, one, more, t, z, fresh != 0, plane, pitch)
        if fresh and not some and len(bands):
            continue
        for k in range(len(steps)):
            across = steps[k, _ACROSS]
            if steps[k, _AXIS] == 3:
                for y in range(0, across, some_rows):
                    join_rows(plane, y * pitch, pitch, min(some_rows, across - y), steps[k], s, d, pairs)
            else:
                for x in range(0, across, COLUMNS):
                    join_columns(plane, x, pitch, min(COLUMNS, across - x), steps[k : k + 1], spare)


@jit
def _columns(volume: Any, begins: Any, stride: int, columns: int, steps: Any, first: int, last: int) -> None:
    """Join blocks of columns along one of the first two axes."""
    most = (steps[:, _BEGIN] + steps[:, _HIGH]).max()
    spare, blocks = np.empty((2, most, COLUMNS), np.int32), -(-columns // COLUMNS)
    for number in range(first, last):
        x = number % blocks * COLUMNS
        base = begins[number // blocks] + x
        join_columns(volume, base, stride, min(COLUMNS, columns - x), steps, spare)
