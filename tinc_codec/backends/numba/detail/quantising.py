"""What the encoder does with the coefficients of a pass, compiled: tokens, quantisation, equations of weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.contexts import sums_of
from tinc_codec.backends.numba.detail.space import Setup, Space, Task
from tinc_codec.detail.contexts import MAGNITUDES, MAPS, MEAN, TOP, UNIT, WEIGHTS
from tinc_codec.detail.quantiser import OFF
from tinc_codec.detail.tables import ESCAPE

_MAGNITUDES = MAGNITUDES.astype(np.int64)


@jit
def tokens(shift: int, there: Any, n: int, numbers: Any, tokens: Any) -> None:
    """Tokens of numbers."""
    k = 0
    for first in there:
        for x in range(n):
            tokens[k] = min(abs(np.int64(numbers[first + 2 * x])) >> shift, ESCAPE)
            k += 1


@jit
def _cost(costs: Any, token: int) -> Any:
    """Bits of a token."""
    if token < ESCAPE:
        return np.float64(costs[token])
    return np.float64(costs[ESCAPE] + 2 * np.log2(token - ESCAPE + 1.0))


@jit
def _number(value: float, top: int, price: float, costs: Any) -> Any:
    """Of a magnitude's nearest number, the one below and 0, what costs least in distortion and bits; and its bits."""
    number, spent, least = 0, costs[0], value * value + price * costs[0]
    for candidate in range(max(top - 1, 1), top + 1):
        wrong = value - candidate + (OFF[0] if candidate == 1 else OFF[1])
        cost = _cost(costs, candidate)
        if wrong * wrong + price * cost < least:
            least, number, spent = wrong * wrong + price * cost, candidate, cost
    return number, spent


@jit
def _count(sums: Any, off: float, number: int) -> None:
    """Note the error of a number that is not 0."""
    kind = 2 if number == 1 else 5
    sums[kind] += 1
    sums[kind + 1] += off
    sums[kind + 2] += off * off


@jit
def quantise(task: Task, band: int, shift: int, w: Space, rows: int, n: int, numbers: Any) -> None:
    """Numbers of the coefficients of a pass, and their tokens."""
    inverse, price, sums, k = 1.0 / task.steps[band], task.price[0], task.sums[band], 0
    bits, squares = 0.0, 0.0
    for there in w.there[:rows]:
        for x in range(n):
            c, coefficient = w.classes[k], task.coefficients[there + 2 * x]
            value = abs(coefficient) * inverse
            number: Any = np.int64(value + 0.5)
            if number and not shift:
                number, spent = _number(value, number, price, task.costs[c])
            else:
                spent = _cost(task.costs[c], number >> shift) + shift
            bits += spent
            w.values[k] = token = min(number >> shift, ESCAPE)
            task.histogram[c, token] += 1
            if number:
                _count(sums, value - number, number)
            else:
                squares += value * value
            numbers[there + 2 * x] = -number if coefficient < 0 else number
            k += 1
    sums[0] += bits
    sums[1] += squares


@jit
def gather(
    task: Task, setup: Setup, step: int, own: int, many: Any, live: Any, w: Space, cells: Any, rows: int, n: int,
    numbers: Any,
) -> None:  # fmt: skip
    """Add the equations of a pass: known means to the magnitude, weighted by what is expected."""
    sy = cells[2] + 2
    sz = sy * (cells[1] + 2)
    row, normal, mean, shift = np.zeros(WEIGHTS + 1), task.normal[step], setup.means[own], setup.shifts[own]
    scales = np.zeros(MEAN)
    for f in range(MEAN):
        divisor = setup.divisors[step, f] * (many[(f - MAPS) // 3] if f >= MAPS else 1)
        scales[f] = 4 / divisor if divisor else 0.0
    every, left = task.every[0], task.every[0] // 2
    for r in range(rows):
        start, there = w.starts[r], w.there[r]
        for x in range(n):
            if left:
                left -= 1
                continue
            left = every - 1
            sums_of(step, w.own, w.own_wide, w.maps, w.maps_wide, w.masks, live, start + x, sy, sz, row)
            guess = 0.0
            for f in range(MEAN):
                row[f] = row[f] * scales[f] if scales[f] else mean / 4096
            row[MEAN] = mean / 4096
            for f in range(WEIGHTS):
                guess += row[f] * setup.weights[step, f] / UNIT
            row[WEIGHTS] = _MAGNITUDES[min(abs(np.int64(numbers[there + 2 * x])) >> shift, TOP)] / 16
            doubt = 1 / (guess * (1 + guess) + 1e-4)
            for f in range(WEIGHTS):
                if row[f]:
                    for g in range(f, WEIGHTS + 1):
                        normal[f, g] += row[f] * doubt * row[g]
