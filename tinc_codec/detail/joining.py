"""Which coefficients a box of samples is made of, and how they are joined: the reference of the compiled twin."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail import lifting, packet
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import AXES, Band, Box, Plan
from tinc_codec.detail.scale import Scale, coefficients


@dataclass(frozen=True)
class Source:
    """What is needed of a band.

    Parameters
    ----------
    number
        Of the band in the plan.
    band
        The band.
    box
        What is needed of it.
    splits
        What its step follows, see `Scale.band_step`.
    """

    number: int
    band: Band
    box: Box
    splits: int


@dataclass(frozen=True)
class Joining:
    """How far bands are joined, and what of them.

    Parameters
    ----------
    plan
        Of the chunk.
    reached
        What is needed along each axis, see `packet.ranges`.
    stop
        How often each group is still split in what comes out.
    """

    plan: Plan
    reached: packet.Ranges
    stop: tuple[int, ...]

    def sources(self) -> list[Source]:
        """What is needed of each band that serves."""
        plan = self.plan
        return [
            Source(
                number,
                band,
                packet.band_box(plan, band, self.reached),
                sum(plan.splits(band, axis) for axis in range(AXES)),
            )
            for number, band in enumerate(plan.bands)
            if plan.serves(band, self.stop)
        ]


@lru_cache(maxsize=64)
def whole(plan: Plan) -> Joining:
    """All bands, joined to all samples."""
    stop = plan.stop((0,) * AXES)
    return Joining(plan, packet.ranges(plan, tuple((0, n) for n in plan.shape), stop), stop)


@lru_cache(maxsize=64)
def needed(joining: Joining) -> tuple[int, ...]:
    """Numbers of the pieces that hold what is joined, and of those that they need, in order."""
    plan, parts = joining.plan, layout(joining.plan)
    rungs = {
        band: (rung, numbers) for rung, numbers in zip(plan.rungs, parts.numbers, strict=True) for band in rung.bands
    }
    pieces = set[int]()
    for source in joining.sources():
        rung, numbers = rungs[source.number]
        pieces.update(int(numbers[tile]) for tile in _tiles(source.box, rung.tiles, plan.tile))
    return parts.with_needs(pieces)


def inverse(numbers: NDArray[np.int32], joining: Joining, scale: Scale) -> NDArray[np.int32]:
    """The box of samples, as integers of the scale, of four axes.

    Parameters
    ----------
    numbers
        All of them, see `tinc_codec.detail.layout.Layout`.
    joining
        What is joined.
    scale
        Of the chunk.
    """
    parts = layout(joining.plan)
    cuts = {
        (source.band.levels, source.band.high): coefficients(
            parts.view(numbers, source.number)[tuple(slice(*ends) for ends in source.box)],
            scale.band_step(source.splits),
            scale.one,
            scale.more,
        )
        for source in joining.sources()
    }
    joined: NDArray[np.int32] = packet.inverse(
        joining.plan, lambda band: cuts[band.levels, band.high], joining.reached, joining.stop, lifting.inverse
    )
    return joined


def _tiles(box: Box, counts: tuple[int, ...], tile: int) -> Iterable[tuple[int, ...]]:
    """Tiles that a box of a band touches."""
    spans = [
        range(min(begin // tile, count - 1), min((end - 1) // tile, count - 1) + 1) if end > begin else range(0)
        for (begin, end), count in zip(box, counts, strict=True)
    ]
    if not math.prod(map(len, spans)):
        return []
    return [tuple(span[k] for span, k in zip(spans, place, strict=True)) for place in np.ndindex(*map(len, spans))]
