"""The walk over the passes of the tiles of a piece, compiled: it reads, writes, quantises, or gathers equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.coding import (
    Lookups,
    begin,
    put_pass,
    put_tokens,
    sort,
    take_class,
    take_pass,
    take_tokens,
)
from tinc_codec.backends.numba.detail.contexts import (
    class_of,
    expected,
    fill_border,
    parity_counts,
    rows,
    to_classes,
    wide,
)
from tinc_codec.backends.numba.detail.space import Setup, Space, Task, space
from tinc_codec.backends.numba.detail.tiles import band_factors, prepare
from tinc_codec.detail.contexts import CLASSES, MAGNITUDES, MAPS, MEAN, PASSES, TOP, UNIT, WEIGHTS
from tinc_codec.detail.tables import ESCAPE

_MAGNITUDES = MAGNITUDES.astype(np.int64)
_ORDER = np.array(PASSES, np.int64)
READ, WRITE, QUANTISE, GATHER = range(4)


@jit
def _members(band: Any, box: Any, t: int, p: int, cells: Any, counts: Any, places: Any, there: Any) -> int:
    """Coefficients of a pass: their places among the cells, and among all numbers; how many there are."""
    sy = cells[2] + 2
    sz = sy * (cells[1] + 2)
    count = 0
    for z in range(counts[0]):
        deep = (t * band[2] + box[1, 0] + 2 * z + ((p >> 2) & 1)) * band[3]
        for y in range(counts[1]):
            base = band[0] + (deep + box[2, 0] + 2 * y + ((p >> 1) & 1)) * band[4] + box[3, 0] + (p & 1)
            place = (z + 1) * sz + (y + 1) * sy + 1
            for x in range(counts[2]):
                places[count] = place + x
                there[count] = base + 2 * x
                count += 1
    return count


@jit
def _entered(
    w: Space, setup: Setup, magnitudes: Any, own: int, step: int, count: int, cells: Any, counts: Any, numbers: Any
) -> Any:
    """Enter what the coefficients of a pass count as; whether that is more than zeros."""
    shift, mine, any_magnitude = setup.shifts[own], w.own[_ORDER[step]], 0
    for k in range(count):
        magnitude = _MAGNITUDES[min(abs(np.int64(numbers[w.there[k]])) >> shift, TOP)]
        mine[w.places[k]] = magnitude
        magnitudes[w.there[k]] = magnitude
        any_magnitude |= magnitude
    if not any_magnitude:
        return False
    fill_border(mine, cells, counts)
    for k in range(len(mine)):
        w.sums[k] += mine[k]
    return True


@jit
def _cost(costs: Any, token: int) -> Any:
    """Bits of a token."""
    if token < ESCAPE:
        return np.float64(costs[token])
    return np.float64(costs[ESCAPE] + 2 * np.log2(token - ESCAPE + 1.0))


@jit
def _quantise(task: Task, band: int, shift: int, w: Space, count: int, numbers: Any) -> None:
    """Of the two numbers next to a coefficient and 0, the one that costs least in distortion and bits."""
    inverse, price, bits, sums = 1.0 / task.steps[band], task.price[0], 0.0, task.sums[band]
    for k in range(count):
        there, c = w.there[k], w.classes[w.places[k]]
        value = abs(task.coefficients[there]) * inverse
        top: Any = np.int64(value + 0.5)
        number, costs = top, task.costs[c]
        if shift:
            bits += _cost(costs, top >> shift) + shift
        elif top == 0:
            bits += costs[0]
        else:
            least = value * value + price * costs[0]
            number, spent = 0, costs[0]
            for candidate in range(max(top - 1, 1), top + 1):
                wrong = value - candidate + (0.06 if candidate == 1 else 0.03)
                cost = _cost(costs, candidate)
                if wrong * wrong + price * cost < least:
                    least, number, spent = wrong * wrong + price * cost, candidate, cost
            bits += spent
        task.histogram[c, min(number >> shift, ESCAPE)] += 1
        off = value - number
        if number == 0:
            sums[1] += off * off
        else:
            kind = 2 if number == 1 else 5
            sums[kind] += 1
            sums[kind + 1] += off
            sums[kind + 2] += off * off
        numbers[there] = -number if task.coefficients[there] < 0 else number
    sums[0] += bits


@jit
def _gather(
    task: Task, setup: Setup, step: int, own: int, many: Any, live: Any, w: Space, cells: Any, count: int, numbers: Any
) -> None:
    """Add the equations of a pass: known means to the magnitude, weighted by what is expected."""
    sy = cells[2] + 2
    sz = sy * (cells[1] + 2)
    row, normal, mean, shift = np.zeros(WEIGHTS + 1), task.normal[step], setup.means[own], setup.shifts[own]
    for k in range(count):
        rows(step, w.own, w.own_wide, w.maps, w.maps_wide, live, w.places[k], sy, sz, row)
        guess = 0.0
        for f in range(MEAN):
            divisor = setup.divisors[step, f] * (many[(f - MAPS) // 3] if f >= MAPS else 1)
            row[f] = row[f] * 4 / divisor if divisor else mean / 4096
        row[MEAN] = mean / 4096
        for f in range(WEIGHTS):
            guess += row[f] * setup.weights[step, f] / UNIT
        row[WEIGHTS] = _MAGNITUDES[min(abs(np.int64(numbers[w.there[k]])) >> shift, TOP)] / 16
        doubt = 1 / (guess * (1 + guess) + 1e-4)
        for f in range(WEIGHTS):
            if row[f]:
                for g in range(WEIGHTS + 1):
                    normal[f, g] += row[f] * doubt * row[g]


@jit
def _finish_read(
    task: Task, setup: Setup, own: int, step: int, box: Any, t: int, w: Space, cells: Any, counts: Any, numbers: Any,
    state: Any, progress: Any,
) -> None:  # fmt: skip
    """Numbers of a pass whose tokens are read."""
    count = _members(setup.bands[own], box, t, _ORDER[step], cells, counts, w.places, w.there)
    if not take_pass(task.words, state, setup.shifts[own], w.values, w.there, count, numbers):
        progress[1] = 1


@jit
def _quiet(task: Task, setup: Setup, tables: Lookups, own: int, total: int, w: Space, count: int, state: Any) -> Any:
    """Read the tokens of a pass of which nothing but zeros is known; whether there is more to do."""
    w.values[:count] = 0
    found = take_class(task.words, state, tables, class_of(total), w.same, 0, count, w.values)
    return found > 0 or setup.shifts[own] > 0


@jit
def _write(
    task: Task, tables: Lookups, shift: int, w: Space, ends: Any, count: int, numbers: Any, progress: Any
) -> None:
    """Note the symbols of a pass."""
    for k in range(count):
        w.values[k] = min(abs(np.int64(numbers[w.there[k]])) >> shift, ESCAPE)
    at = put_tokens(task.symbols, progress[0], tables, ends, w.order, w.values)
    progress[0] = put_pass(task.symbols, at, shift, w.there, count, numbers)


@jit
def _pass(
    job: int, task: Task, setup: Setup, tables: Lookups, own: int, step: int, box: Any, t: int, factors: Any, many: Any,
    live: Any, known: bool, w: Space, cells: Any, counts: Any, ends: Any, numbers: Any, state: Any, progress: Any,
) -> Any:  # fmt: skip
    """Do the job for a pass; whether its numbers must be entered."""
    shift, count = setup.shifts[own], counts[0] * counts[1] * counts[2]
    if job == READ and not (known or live.any()):
        if not _quiet(task, setup, tables, own, factors[step, MEAN], w, count, state):
            return False
        _finish_read(task, setup, own, step, box, t, w, cells, counts, numbers, state, progress)
        return True
    if known:
        wide(w.sums, w.own_wide[0], w.own_wide[1], w.spare, cells)
    _members(setup.bands[own], box, t, _ORDER[step], cells, counts, w.places, w.there)
    if job == GATHER:
        _gather(task, setup, step, own, many, live, w, cells, count, numbers)
    else:
        expected(step, w.own, w.own_wide, w.maps, w.maps_wide, known, live, factors[step], w.total, cells)
        to_classes(w.total, w.floats, w.bits, w.classes)
    if job == QUANTISE:
        _quantise(task, own, shift, w, count, numbers)
    elif job != GATHER:
        sort(w.classes, w.places, count, w.order, ends)
    if job == WRITE:
        _write(task, tables, shift, w, ends, count, numbers, progress)
    elif job == READ:
        w.values[:count] = 0
        if not take_tokens(task.words, state, tables, ends, w.order, w.values) and not shift:
            return False
        _finish_read(task, setup, own, step, box, t, w, cells, counts, numbers, state, progress)
    return True


@jit
def _tile(
    job: int, task: Task, setup: Setup, tables: Lookups, own: int, box: Any, numbers: Any, magnitudes: Any, ends: Any,
    state: Any, progress: Any,
) -> None:  # fmt: skip
    """Walk over a tile of one band."""
    shape = box[1:, 1] - box[1:, 0]
    cells, counts, many = (shape + 1) // 2, np.zeros(3, np.int64), np.zeros(3, np.int64)
    factors, live, w = np.zeros((8, WEIGHTS), np.int64), np.zeros(3, np.bool_), space(shape, cells)
    for t in range(box[0, 0], box[0, 1]):
        prepare(
            magnitudes, setup.bands, own, setup.first[own], setup.parents, setup.halves, box, t,
            w.volume, w.maps, w.maps_wide, w.sums, w.spare, cells, counts, many, live,
        )  # fmt: skip
        band_factors(setup.divisors, setup.weights, many, setup.means[own], factors)
        w.own[:] = 0
        w.own_wide[:] = 0
        w.sums[:] = 0
        known = False
        for step in range(8):
            parity_counts(shape, _ORDER[step], counts)
            if counts.min() > 0 and _pass(
                job, task, setup, tables, own, step, box, t, factors, many, live, known, w, cells, counts, ends,
                numbers, state, progress,
            ):  # fmt: skip
                count = counts[0] * counts[1] * counts[2]
                known |= _entered(w, setup, magnitudes, own, step, count, cells, counts, numbers)


@jit
def walk(
    job: int, task: Task, setup: Setup, tables: Lookups, which: Any, boxes: Any, numbers: Any, magnitudes: Any
) -> Any:
    """Walk over bands `which` in their `boxes`.

    Returns the number of symbols written; -1: no encoder wrote the words that were read.
    """
    state, progress, ends = np.zeros(2, np.uint64), np.zeros(2, np.int64), np.zeros(CLASSES + 1, np.int64)
    begin(task.words, state)
    for number in range(len(which)):
        own, box = which[number], boxes[number]
        if setup.means[own] > 0 and (box[1:, 1] - box[1:, 0]).min() > 0:
            _tile(job, task, setup, tables, own, box, numbers, magnitudes, ends, state, progress)
    if job == READ and (state[0] > 0 or state[1] > 0 or progress[1]):
        return -1
    return np.int64(progress[0])
