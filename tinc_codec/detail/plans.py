"""Which packet suits a volume: candidates, and an estimate of what each costs at the wanted quality."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

from tinc_codec.detail.encoding import Coefficients, Samples, transform
from tinc_codec.detail.packet import Splits
from tinc_codec.detail.plan import AXES, Group, Plan, Shape
from tinc_codec.detail.section import most_passes, passes
from tinc_codec.detail.work import EncodingWork
from tinc_codec.runtime.threads import share

_SAMPLE = 2**18
"""Voxels that plans are compared on."""

_COARSEST = 4
"""Coefficients that are left along the longest axis of the last group."""

_MOST_DEPTH, _MOST_FIRST = 7, 4
_TILED = 2**20
"""Voxels from which a chunk is cut into small tiles, since parts of it will be asked for."""

_SMALL, _LARGE = 16, 64
"""Coefficients along a tile of three axes; tiles of fewer axes, or of short ones, are longer and hold as many."""

_WORTH = 2**15
"""Coefficients that are worth a thread."""


def tile_of(shape: Shape) -> int:
    """Coefficients along a tile."""
    usual = tile = _SMALL if math.prod(shape) >= _TILED else _LARGE
    frames = max(1, shape[0] >> _MOST_FIRST)  # that are left where the first axis is split on its own
    while math.prod(min(tile, n) for n in (frames, *shape[1:])) < usual**3 and tile < max(shape):
        tile *= 2
    return tile


@lru_cache(maxsize=64)
def candidates(shape: Shape) -> tuple[Plan, ...]:
    """Plans worth trying: axes of their own, split to some depth, and the others split together."""
    long = [axis for axis in range(AXES) if shape[axis] > 1]
    short = [Group((axis,), 0) for axis in range(AXES) if axis not in long]
    plans = []
    for alone in _alone(long):
        rest = tuple(axis for axis in long if axis not in alone)
        depths = [range(min(_MOST_FIRST, _depth(shape[axis], 2)) + 1) for axis in alone]
        last = Group(rest, _depth(max((shape[axis] for axis in rest), default=1), _COARSEST))
        for chosen in itertools.product(*depths):
            own = [Group((axis,), depth) for axis, depth in zip(alone, chosen, strict=True)]
            plans.append(Plan(shape, (*short, *own, *([last] if rest else [])), tile_of(shape)))
    return tuple(plan for plan in plans if passes(plan) <= most_passes(shape))  # of no splits there is always one


def _alone(long: list[int]) -> list[tuple[int, ...]]:
    """Which axes have a group of their own: none, or the first; of four the first one always has."""
    if len(long) < 3:
        return [()]
    head = tuple(long[:-3])
    return [head, (*head, long[-3])]


def _depth(length: int, coarsest: int) -> int:
    return min(_MOST_DEPTH, max(0, math.floor(math.log2(max(1, length) / coarsest))))


def middle(samples: Samples) -> Samples:
    """The middle of a volume, where it is large."""
    shape = samples.values.shape
    edges = list(shape)
    while math.prod(edges) > _SAMPLE:
        longest = max(range(AXES), key=lambda axis: edges[axis])
        edges[longest] = -(-edges[longest] // 2)
    where = tuple(slice((n - e) // 2, (n - e) // 2 + e) for n, e in zip(shape, edges, strict=True))
    return Samples(samples.scale, samples.values[where])


Costs = dict[tuple[Any, ...], float]
"""Of bands, by the axes that were split together, how often, and which halves were taken."""


def cost(coefficients: Coefficients, step: float, known: Costs | None = None) -> float:
    """Squared errors in squared steps and the price of the bits, about, of all bands but the coarsest.

    Parameters
    ----------
    step
        In the integers' units.
    known
        Costs of bands of the same volume at the same step that other plans have, and that this one adds to.
    """
    layout, steps, known = coefficients.layout, coefficients.steps(step), {} if known is None else known
    axes = tuple(group.axes for group in coefficients.plan.groups)
    keys = [(axes, band.levels, band.high) for band in coefficients.plan.bands]
    bands = [band for band, key in enumerate(keys) if band and layout.bands[band, 1:].all() and key not in known]

    def some(begin: int, end: int) -> None:
        for band in bands[begin:end]:
            known[keys[band]] = coefficients.work.cost(layout.view(coefficients.values, band), 1 / steps[band])

    share(some, layout.bands[bands, 1:].prod(1).tolist(), _WORTH)
    return sum(known.get(key, 0.0) for key in keys[1:])


def usual(shape: Shape) -> Plan:
    """The plan that steps are guessed with: in the middle of the candidates."""
    plans = candidates(shape)
    return plans[len(plans) // 2]


def shared(samples: Samples) -> Splits | None:
    """Where splits of a volume are noted for all plans, if it is so small that it is its own middle; else None."""
    return {} if math.prod(samples.values.shape) <= _SAMPLE else None


def choose(
    samples: Samples, step: float, work: EncodingWork, compared: int, known: Splits | None = None
) -> Coefficients:
    """Coefficients of the plan of the least cost.

    Parameters
    ----------
    samples
        Of a volume.
    step
        At which coefficients are wanted, in the integers' units.
    work
        Who works on coefficients.
    compared
        How many plans, the best on a part, are compared on the whole volume.
    known
        What is `shared` by all plans of a small volume.
    """
    part, shape = middle(samples), samples.values.shape
    splits, bands = {} if known is None else known, Costs()
    costs = {plan: cost(transform(part, plan, work, splits), step, bands) for plan in candidates(part.values.shape)}
    best = sorted(costs, key=lambda plan: costs[plan])[: compared if part.values.shape != shape else 1]
    plans = [next(plan for plan in candidates(shape) if _alike(plan, other)) for other in best]
    if len(plans) == 1:
        return transform(samples, plans[0], work, known)
    return min((transform(samples, plan, work) for plan in plans), key=lambda each: cost(each, step))


def _alike(plan: Plan, other: Plan) -> bool:
    """Whether plans of volumes of other sizes have the same axes alone, split alike."""
    alone = [
        {group for group in each.groups if len(group.axes) == 1 and each.shape[group.axes[0]] > 1}
        for each in (plan, other)
    ]
    return alone[0] == alone[1]
