"""Which packet suits a volume: candidates, and an estimate of what each costs at the wanted quality."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.encoding import Coefficients, transform
from tinc_codec.detail.plan import AXES, Group, Plan, Shape
from tinc_codec.detail.work import Work

_SAMPLE = 2**18
"""Voxels that plans are compared on."""

_COARSEST = 4
"""Coefficients that are left along the longest axis of the last group."""

_MOST_DEPTH, _MOST_FIRST = 7, 4
_TILED = 2**20
"""Voxels from which a chunk is cut into small tiles, since parts of it will be asked for."""

_SMALL, _LARGE = 16, 64
_PRICE = 0.1
_ROUNDING = 0.38


def tile_of(shape: Shape) -> int:
    """Coefficients along a tile."""
    return _SMALL if math.prod(shape) >= _TILED else _LARGE


def candidates(shape: Shape) -> list[Plan]:
    """Plans worth trying: axes of their own, split to some depth, and the others split together."""
    long = [axis for axis in range(AXES) if shape[axis] > 1]
    short = [Group((axis,), 0) for axis in range(AXES) if axis not in long]
    found = []
    for alone in _alone(long):
        rest = tuple(axis for axis in long if axis not in alone)
        depths = [range(min(_MOST_FIRST, _depth(shape[axis], 2)) + 1) for axis in alone]
        last = Group(rest, _depth(max((shape[axis] for axis in rest), default=1), _COARSEST))
        for chosen in itertools.product(*depths):
            own = [Group((axis,), depth) for axis, depth in zip(alone, chosen, strict=True)]
            found.append(Plan(shape, (*short, *own, *([last] if rest else [])), tile_of(shape)))
    return found


def _alone(long: list[int]) -> list[tuple[int, ...]]:
    """Which axes have a group of their own: none, or the first; of four the first one always has."""
    if len(long) < 3:
        return [()]
    head = tuple(long[:-3])
    return [head, (*head, long[-3])]


def _depth(length: int, coarsest: int) -> int:
    return min(_MOST_DEPTH, max(0, math.floor(math.log2(max(1, length) / coarsest))))


def sample(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle of a volume, where it is large."""
    edges = list(volume.shape)
    while math.prod(edges) > _SAMPLE:
        longest = max(range(AXES), key=lambda axis: edges[axis])
        edges[longest] = -(-edges[longest] // 2)
    return volume[tuple(slice((n - e) // 2, (n - e) // 2 + e) for n, e in zip(volume.shape, edges, strict=True))]


def cost(coefficients: Coefficients, step: float) -> float:
    """Squared errors in squared steps and the price of the bits, about: numbers cost what their neighbours foretell."""
    total, steps = 0.0, coefficients.steps(step)
    for band in range(1, len(steps)):
        value = np.abs(coefficients.layout.view(coefficients.values, band)) / np.float32(steps[band])
        if value.size:
            number = np.floor(value + np.float32(_ROUNDING))
            share = 1 / (1 + _around(np.minimum(number, 15)))
            bits = -number * np.log2(1 - share) - np.log2(share) + (number > 0)
            total += float(np.sum((value - number) ** 2 + _PRICE * bits, dtype=np.float64))
    return total


def _around(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over the neighbours, and a little of the band's."""
    sums = numbers
    for axis in range(1, AXES):
        padded = np.pad(sums, [(int(a == axis),) * 2 for a in range(AXES)], mode="edge")
        n = numbers.shape[axis]
        sums = sum(np.take(padded, range(first, first + n), axis) for first in range(3))  # type: ignore[assignment]
    return np.asarray(np.maximum(sums - numbers, 0) / 26 + 0.02 * numbers.mean() + 1e-4, np.float32)


def usual(shape: Shape) -> Plan:
    """The plan that steps are guessed with: in the middle of the candidates."""
    plans = candidates(shape)
    return plans[len(plans) // 2]


def choose(volume: NDArray[np.float64], step: float, work: Work) -> Plan:
    """The plan of the least cost on a sample.

    Parameters
    ----------
    volume
        Of four axes.
    step
        At which coefficients are wanted, in samples.
    """
    part = sample(volume)
    plans = candidates(part.shape)
    best = plans[int(np.argmin([_cost_of(part, plan, step, work) for plan in plans]))]
    return next(plan for plan in candidates(volume.shape) if _alike(plan, best))


def _cost_of(part: NDArray[np.float64], plan: Plan, step: float, work: Work) -> float:
    coefficients = transform(part, plan, work)
    return cost(coefficients, max(math.ldexp(step, -coefficients.scale.exponent), 2.0**-8))


def _alike(plan: Plan, other: Plan) -> bool:
    """Whether plans of volumes of other sizes have the same axes alone, split alike."""
    alone = [
        {group for group in each.groups if len(group.axes) == 1 and each.shape[group.axes[0]] > 1}
        for each in (plan, other)
    ]
    return alone[0] == alone[1]
