"""What coefficients of windows cost, and its gradient, compiled: the twin of `tinc_codec.encoding.fit.cost` on a CPU.

There a step of training is thousands of small operations, each of which takes longer to start than to do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.estimate import columns_of, numbers_of
from tinc_codec.backends.numba.detail.transposed import split, unite
from tinc_codec.detail import packet
from tinc_codec.detail.estimate import CODED, LEAST, OWN, PRICE
from tinc_codec.detail.plan import Plan


class _Part(NamedTuple):
    """A band, or what is yet to be split, in the buffer."""

    offset: int
    shape: tuple[int, ...]

    @property
    def end(self) -> int:
        return self.offset + math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Steps:
    """What is done with windows of one kind, so that it can be done in one compiled call.

    Parameters
    ----------
    splits
        Of each split where in the buffer samples, low and high half lie, how many are before the axis, along it, and
        after it: ``(splits, 6)``, int64, in the order of the transform.
    bands
        Of each band that has any coefficients its place and its shape as volumes of three axes: ``(bands, 5)``, int64.
    size
        Numbers that the buffer holds.
    """

    splits: NDArray[np.int64]
    bands: NDArray[np.int64]
    size: int

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, plan: Plan, leaves: int) -> Steps:
        """Those of `leaves` windows with this plan."""
        whole = _Part(0, (leaves, *plan.shape))
        splits: list[tuple[int, ...]] = []
        end = whole.end

        def split_at(part: _Part, axis: int) -> tuple[_Part, _Part]:
            nonlocal end
            place = axis + 1
            before, n, after = math.prod(part.shape[:place]), part.shape[place], math.prod(part.shape[place + 1 :])
            if n < 2:
                return part, _Part(end, (*part.shape[:place], 0, *part.shape[place + 1 :]))
            low = _Part(end, (*part.shape[:place], (n + 1) // 2, *part.shape[place + 1 :]))
            high = _Part(low.end, (*part.shape[:place], n // 2, *part.shape[place + 1 :]))
            splits.append((part.offset, low.offset, high.offset, before, n, after))
            end = high.end
            return low, high

        parts: list[Any] = packet.forward(whole, plan, SimpleNamespace(forward=split_at))
        bands = [(part.offset, math.prod(part.shape[:-3]), *part.shape[-3:]) for part in parts if math.prod(part.shape)]
        return cls(np.array(splits, np.int64).reshape(-1, 6), np.array(bands, np.int64), end)


def rate(
    windows: NDArray[np.float32], plan: Plan, inverses: Sequence[float], most: float
) -> tuple[float, NDArray[np.float32]]:
    """Bits of a chunk's windows, with squared errors at what a bit is worth, and the gradient.

    Parameters
    ----------
    windows
        ``(leaves, *shape)``, of four axes.
    plan
        Of a window.
    inverses
        1 over the step of every band that has any coefficients.
    most
        What neighbours count as at most.

    Returns
    -------
    bits
        Of all leaves.
    gradient
        Like `windows`.
    """
    steps = Steps.of(plan, len(windows))
    buffer = np.empty(steps.size, np.float32)
    buffer[: windows.size] = windows.ravel()
    bits = _rate(buffer, steps.splits, steps.bands, np.asarray(inverses, np.float32), most)
    return float(bits), buffer[: windows.size].reshape(windows.shape)


@jit
def _rate(buffer: Any, splits: Any, bands: Any, inverses: Any, most: float) -> Any:
    """Bits of what the buffer begins with, which is replaced by their gradient."""
    for number in range(len(splits)):
        _at(buffer, splits[number], True)
    result = 0.0
    for number in range(len(bands)):
        offset, volumes, depth, height, width = bands[number]
        band = buffer[offset : offset + volumes * depth * height * width].reshape((volumes, depth, height, width))
        result += _cost(band, inverses[number], most)
    for number in range(len(splits) - 1, -1, -1):
        _at(buffer, splits[number], False)
    return result


@jit
def _at(buffer: Any, at: Any, forwards: bool) -> None:
    """Split samples into halves, or the gradient of halves joined to that of samples."""
    whole, low, high, before, n, after = at
    samples = buffer[whole : whole + before * n * after].reshape((before, n, after))
    lows = buffer[low : low + before * ((n + 1) // 2) * after].reshape((before, (n + 1) // 2, after))
    highs = buffer[high : high + before * (n // 2) * after].reshape((before, n // 2, after))
    if forwards:
        split(samples, lows, highs)
    else:
        unite(lows, highs, samples)


@jit
def _cost(values: Any, inverse: float, most: float) -> Any:
    """Bits of a band ``(volumes, z, y, x)``, whose coefficients are replaced by the gradient."""
    result = 0.0
    scale, price, coded = np.float32(inverse), np.float32(1 / PRICE), np.float32(CODED)
    numbers = np.empty((values.shape[1] + 2, values.shape[2] + 2, values.shape[3] + 2), np.float32)
    columns = np.empty(values.shape[3] + 2, np.float32)
    total = 0.0
    for volume in range(values.shape[0]):
        total += numbers_of(values[volume], scale, most, numbers)
    little = np.float32(OWN * total / values.size + LEAST)
    none_alone = np.log2(np.float32(1) + little)
    more_alone = none_alone - np.log2(little)
    for volume in range(values.shape[0]):
        if values.shape[0] > 1:
            numbers_of(values[volume], scale, most, numbers)
        for z in range(values.shape[1]):
            for y in range(values.shape[2]):
                row, mine = values[volume, z, y], numbers[z + 1, y + 1]
                columns_of(numbers, z, y, columns)
                bits: Any = np.float32(0)
                for x in range(len(row)):
                    size = abs(row[x]) * scale
                    more, none = more_alone, none_alone
                    around = columns[x] + columns[x + 1] + columns[x + 2]
                    if around:
                        expected = (around - mine[x + 1]) * np.float32(1 / 26) + little
                        none = np.log2(np.float32(1) + expected)
                        more = none - np.log2(expected)
                    lost, kept = size * size * price, more * size + coded
                    if lost < kept:
                        bits += lost + none
                        row[x] = row[x] * (np.float32(2) * price * scale * scale)
                    else:
                        bits += kept + none
                        row[x] = math.copysign(more * scale, row[x])
                result += bits
    return result
