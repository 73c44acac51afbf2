"""What a band costs, about, compiled: see `tinc_codec.detail.estimate`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.estimate import LEAST, MOST, OWN, PRICE, ROUNDING


def cost(values: NDArray[np.float32], inverse: float) -> float:
    """Squared errors in squared steps, and the price of the bits."""
    return float(_cost(values, inverse))


@jit
def numbers_of(values: Any, inverse: float, most: float, out: Any) -> Any:
    """Numbers of a volume of three axes, at most `most`, with a border; their sum."""
    total: Any = 0.0
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            row, target = values[z, y], out[z + 1, y + 1]
            for x in range(len(row)):
                number = min(np.float32(np.floor(abs(row[x]) * inverse + ROUNDING)), np.float32(most))
                target[x + 1] = number
                total += number
            target[0], target[-1] = target[1], target[-2]
        out[z + 1, 0], out[z + 1, -1] = out[z + 1, 1], out[z + 1, -2]
    out[0], out[-1] = out[1], out[-2]
    return total


@jit
def columns_of(numbers: Any, z: int, y: int, out: Any) -> None:
    """Sums over 3 x 3 rows."""
    out[:] = 0
    for dz in range(3):
        for dy in range(3):
            row = numbers[z + dz, y + dy]
            for x in range(len(out)):
                out[x] += row[x]


@jit
def _bits(little: float) -> Any:
    """Bits of a number beside those that it takes for each unit of it, and these, by the sum of its 26 neighbours."""
    at_least, beyond = np.empty(26 * MOST + 1), np.empty(26 * MOST + 1)
    for others in range(len(at_least)):
        expected = others / 26 + little
        at_least[others] = np.log2(1 + expected)
        beyond[others] = at_least[others] - np.log2(expected)
    return at_least, beyond


@jit
def _cost(values: Any, inverse: float) -> Any:
    result, count = 0.0, values.shape[1] * values.shape[2] * values.shape[3]
    numbers = np.empty((values.shape[1] + 2, values.shape[2] + 2, values.shape[3] + 2), np.float32)
    columns = np.empty(values.shape[3] + 2, np.float32)
    totals = np.empty(values.shape[0])
    for t in range(values.shape[0]):
        totals[t] = numbers_of(values[t], inverse, MOST, numbers)
    little = OWN * totals.sum() / (count * values.shape[0]) + LEAST
    at_least, beyond = _bits(little)
    nothing = PRICE * at_least[0]
    for t in range(values.shape[0]):
        if values.shape[0] > 1:
            numbers_of(values[t], inverse, MOST, numbers)
        for z in range(values.shape[1]):
            for y in range(values.shape[2]):
                row, mine = values[t, z, y], numbers[z + 1, y + 1]
                columns_of(numbers, z, y, columns)
                for x in range(len(row)):
                    value, around = abs(row[x]) * inverse, columns[x] + columns[x + 1] + columns[x + 2]
                    if around == 0:
                        result += value * value + nothing
                        continue
                    number, others = np.floor(value + ROUNDING), np.int64(around - mine[x + 1])
                    bits = at_least[others]
                    if number:
                        bits += 1 + number * beyond[others]
                    result += (value - number) * (value - number) + PRICE * bits
    return result
