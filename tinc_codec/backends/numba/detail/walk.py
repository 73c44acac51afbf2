"""The walk over the passes of the tiles of a piece, compiled: it reads, writes, quantises, or gathers equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.bits import nothing_from, put_band, rows_of, take_band
from tinc_codec.backends.numba.detail.coding import Lookups, begin, put_tokens, sort, take_tokens
from tinc_codec.backends.numba.detail.contexts import class_of, expected, fill_border, parity_counts, to_classes, wide
from tinc_codec.backends.numba.detail.quantising import gather, quantise, tokens
from tinc_codec.backends.numba.detail.space import Setup, Space, Task, fits, space
from tinc_codec.backends.numba.detail.tiles import band_factors, hand_on, prepare
from tinc_codec.detail.contexts import CLASSES, MAGNITUDES, MEAN, PASSES, WEIGHTS

_MAGNITUDES = MAGNITUDES.astype(np.int64)
_ORDER = np.array(PASSES, np.int64)
READ, WRITE, QUANTISE, GATHER = range(4)


@jit
def _rows(band: Any, box: Any, frames: Any, p: int, cells: Any, counts: Any, starts: Any, there: Any) -> None:
    """Where the rows of a pass begin among the cells, and among all numbers."""
    sy = cells[2] + 2
    sz = sy * (cells[1] + 2)
    count = 0
    for t in range(frames[0], frames[1]):
        first = (t - frames[0]) * (cells[0] + 2)
        for z in range(counts[0]):
            deep = (t * band[2] + box[1, 0] + 2 * z + ((p >> 2) & 1)) * band[3]
            for y in range(counts[1]):
                starts[count] = (first + z + 1) * sz + (y + 1) * sy + 1
                there[count] = band[0] + (deep + box[2, 0] + 2 * y + ((p >> 1) & 1)) * band[4] + box[3, 0] + (p & 1)
                count += 1


@jit
def _entered(w: Space, magnitudes: Any, step: int, rows: int, n: int, cells: Any, counts: Any) -> Any:
    """Enter what the coefficients of a pass count as; whether that is more than zeros."""
    mine, any_magnitude, k = w.own[_ORDER[step]], 0, 0
    for row in range(rows):
        cell, there = w.starts[row], w.there[row]
        for x in range(n):
            magnitude = _MAGNITUDES[w.values[k]]
            mine[cell + x] = magnitude
            magnitudes[there + 2 * x] = magnitude
            any_magnitude |= magnitude
            k += 1
    if not any_magnitude:
        return False
    _add_up(w, mine, cells, counts)
    return True


@jit
def _scatter(where: Any, values: Any, starts: Any, there: Any, n: int, mine: Any, magnitudes: Any) -> None:
    """Enter tokens at their places in a pass of rows of `n`."""
    for k in range(len(where)):
        row = np.uint32(where[k]) // np.uint32(n)
        x, magnitude = where[k] - np.int64(row) * n, _MAGNITUDES[values[k]]
        mine[starts[row] + x] = magnitude
        magnitudes[there[row] + 2 * x] = magnitude


@jit
def _enter_few(w: Space, magnitudes: Any, step: int, count: int, n: int, cells: Any, counts: Any) -> Any:
    """Enter `count` tokens that are not 0, where all that was 0 before; whether there are any."""
    if count == 0:
        return False
    mine = w.own[_ORDER[step]]
    _scatter(w.where[:count], w.values, w.starts, w.there, n, mine, magnitudes)
    _add_up(w, mine, cells, counts)
    return True


@jit
def _add_up(w: Space, mine: Any, cells: Any, counts: Any) -> None:
    fill_border(mine, cells, counts)
    for i in range(len(mine)):
        w.sums[i] += mine[i]
    w.stale[0] = True


@jit
def _read(task: Task, tables: Lookups, known: bool, total: int, w: Space, ends: Any, count: int, state: Any) -> Any:
    """Tokens of a pass; how many are not 0. Where nothing is `known`, all have the class of `total`."""
    order = w.order if known else w.same
    if not known:
        c = class_of(total)
        ends[: c + 1], ends[c + 1 :] = 0, count
    return take_tokens(task.words, state, tables, ends, order, w.where, w.values)


@jit
def _pass(
    job: int, task: Task, setup: Setup, tables: Lookups, own: int, step: int, box: Any, frames: Any, factors: Any,
    many: Any, live: Any, known: bool, w: Space, cells: Any, counts: Any, ends: Any, numbers: Any, state: Any,
    progress: Any,
) -> Any:  # fmt: skip
    """Do the job for a pass; how many of its tokens that were read are not 0, or else in how many rows they are."""
    shift, any_known, n = setup.shifts[own], known or live.any(), counts[2]
    rows = (frames[1] - frames[0]) * counts[0] * counts[1]
    count = rows * n
    if any_known or job != READ:
        if w.stale[0]:
            wide(w.sums, w.own_wide[0], w.own_wide[1], w.spare, cells)
            w.stale[0] = False
        _rows(setup.bands[own], box, frames, _ORDER[step], cells, counts, w.starts, w.there)
    if job == GATHER:
        gather(task, setup, step, own, many, live, w, cells, rows, n, numbers)
    elif any_known:
        expected(step, w.own, w.own_wide, w.maps, w.maps_wide, w.masks, known, live, factors[step], w.total, cells)
        to_classes(w.total, w.starts[:rows], n, w.floats, w.bits, w.classes)
    elif job != READ:
        w.classes[:count] = class_of(factors[step, MEAN])
    if job == WRITE or (job == READ and any_known):
        sort(w.classes, count, w.order, ends, w.places)
    if job == READ:
        count = _read(task, tables, any_known, factors[step, MEAN], w, ends, count, state)
        if count and not any_known:
            _rows(setup.bands[own], box, frames, _ORDER[step], cells, counts, w.starts, w.there)
        return count
    if job == QUANTISE:
        quantise(task, own, shift, w, rows, n, numbers)
    else:
        tokens(shift, w.there[:rows], n, numbers, w.values)
    if job == WRITE:
        progress[0] = put_tokens(task.symbols, progress[0], tables, ends, w.order, w.values)
    return rows


@jit
def _frames(
    job: int, task: Task, setup: Setup, tables: Lookups, own: int, box: Any, frames: Any, w: Space, numbers: Any,
    magnitudes: Any, ends: Any, state: Any, progress: Any, rung: Any,
) -> Any:  # fmt: skip
    """Walk over some frames, from `frames[0]` to `frames[1]`, of a tile of one band; whether any is more than 0."""
    shape = w.shape[1:]
    cells, counts, many = (shape + 1) // 2, np.zeros(3, np.int64), np.zeros(3, np.int64)
    factors, live = np.zeros((8, WEIGHTS), np.int64), np.zeros(3, np.bool_)
    live[1] = rung[1]
    prepare(magnitudes, setup, own, box, frames[0], w, cells, counts, many, live, rung[0])
    band_factors(setup.divisors, setup.weights, many, setup.means[own], factors)
    w.own[:] = 0
    w.own_wide[:] = 0
    w.sums[:] = 0
    w.stale[0], known = False, False
    for step in range(8):
        parity_counts(shape, _ORDER[step], counts)
        if counts.min() > 0:
            count = _pass(
                job, task, setup, tables, own, step, box, frames, factors, many, live, known, w, cells, counts, ends,
                numbers, state, progress,
            )  # fmt: skip
            if job == READ:
                known |= _enter_few(w, magnitudes, step, count, counts[2], cells, counts)
            else:
                known |= _entered(w, magnitudes, step, count, counts[2], cells, counts)
    if rung[0] and known and own:
        hand_on(w, not rung[1])
        rung[1] = True
    return known


@jit
def _tile(
    job: int, task: Task, setup: Setup, tables: Lookups, own: int, box: Any, w: Space, numbers: Any, magnitudes: Any,
    ends: Any, state: Any, progress: Any, rung: Any, some: Any,
) -> Space:  # fmt: skip
    """Walk over a tile of one band; `w`, or the arrays that took its place since the tile has another shape.

    `some`: made true where a number counts as more than 0.
    """
    shape, frames, begin = box[1:, 1] - box[1:, 0], np.zeros(2, np.int64), box[0, 0]
    while begin < box[0, 1]:
        frames[0], frames[1] = begin, min(begin + setup.frames[own], box[0, 1])
        if not fits(w, frames[1] - begin, shape):
            w = space(frames[1] - begin, shape)
        some[0] |= _frames(
            job, task, setup, tables, own, box, frames, w, numbers, magnitudes, ends, state, progress, rung
        )
        begin = frames[1]
    return w


@jit
def _alike(setup: Setup, which: Any, boxes: Any, first: int) -> Any:
    """Whether the bands of a rung, from the `first` one on, have their tiles in the same box, all frames at once."""
    box = boxes[first]
    for number in range(first, len(which)):
        if setup.first[which[number]] != setup.first[which[first]]:
            break
        if box[0, 1] - box[0, 0] > setup.frames[which[number]] or not (boxes[number] == box).all():
            return False
    return True


@jit
def _bits(job: int, setup: Setup, which: Any, boxes: Any, rest: Any, magnitudes: Any, numbers: Any, some: Any) -> Any:
    """Read or write the bits under the symbols; how many, -1: a number is too large. `some`: see `_tile`."""
    at = np.int64(0)
    for number in range(len(which)):
        own, box = which[number], boxes[number]
        if setup.means[own] == 0 or at < 0 or not (some[number] or setup.shifts[own]):
            continue
        rows, n = rows_of(setup.bands[own], box), box[3, 1] - box[3, 0]
        if job == READ:
            at = take_band(rest, at, rows, n, setup.shifts[own], magnitudes, numbers)
        else:
            at = put_band(rest, at, rows, n, setup.shifts[own], numbers)
    return at


@jit
def walk(
    job: int, task: Task, setup: Setup, tables: Lookups, which: Any, boxes: Any, numbers: Any, magnitudes: Any
) -> Any:
    """Walk over bands `which` in their `boxes`.

    `rung`, while that goes on: whether what the bands of a rung count as is handed on, and whether it is more than 0.

    Returns the number of symbols written, and of bits under them; -1: no encoder wrote the words that were read.
    """
    state, progress, ends = np.zeros(2, np.uint64), np.zeros(2, np.int64), np.zeros(CLASSES + 1, np.int64)
    begin(task.words, state)
    w, rung, some = space(0, np.zeros(3, np.int64)), np.zeros(2, np.bool_), np.zeros(len(which), np.bool_)
    for number in range(len(which)):
        own, box = which[number], boxes[number]
        if number == 0 or setup.first[own] != setup.first[which[number - 1]]:
            rung[0], rung[1] = own == setup.first[own] and _alike(setup, which, boxes, number), False
        if setup.means[own] > 0 and (box[1:, 1] - box[1:, 0]).min() > 0:
            w = _tile(
                job, task, setup, tables, own, box, w, numbers, magnitudes, ends, state, progress, rung,
                some[number : number + 1],
            )  # fmt: skip
    rest = task.bits
    if job == READ:
        left = np.int64(state[1])
        rest = np.zeros(left + 2, np.uint32)
        rest[:left] = task.words[:left]
        rest[left], rest[left + 1] = state[0] & np.uint64(4294967295), state[0] >> np.uint64(32)
    at: Any = 0
    if job in (READ, WRITE):
        at = _bits(job, setup, which, boxes, rest, magnitudes, numbers, some)
    if job == READ and (at < 0 or not nothing_from(rest, at)):
        at = -1
    return progress[0], at
