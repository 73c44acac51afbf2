"""What a tile of a band is predicted from, compiled: maps of bands that are known, cut to the tile."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.contexts import lattice, wide
from tinc_codec.backends.numba.detail.space import Setup, Space
from tinc_codec.detail.contexts import MAPS, MEAN, PLACES


@jit
def add_map(magnitudes: Any, band: Any, halved: int, box: Any, begin: int, out: Any) -> None:
    """Add a band's magnitudes at the places of a tile's frames from `begin` on.

    Bits 3 to 0 of `halved`: axes that the band is split further along.
    """
    for t in range(len(out)):
        _add_frame(magnitudes, band, halved, box, begin + t, out[t])


@jit
def _add_frame(magnitudes: Any, band: Any, halved: int, box: Any, t: int, out: Any) -> None:
    offset, n0, n1, n2, n3 = band[0], band[1], band[2], band[3], band[4]
    t = min(t >> ((halved >> 3) & 1), n0 - 1)
    for z in range(out.shape[0]):
        there_z = min((box[1, 0] + z) >> ((halved >> 2) & 1), n1 - 1)
        for y in range(out.shape[1]):
            there_y = min((box[2, 0] + y) >> ((halved >> 1) & 1), n2 - 1)
            base = offset + ((t * n1 + there_z) * n2 + there_y) * n3
            if halved & 1:
                for x in range(out.shape[2]):
                    out[z, y, x] += magnitudes[base + min((box[3, 0] + x) >> 1, n3 - 1)]
            else:
                for x in range(out.shape[2]):
                    out[z, y, x] += magnitudes[base + min(box[3, 0] + x, n3 - 1)]


@jit
def _any(volume: Any) -> Any:
    """Whether any is not 0."""
    total = np.int32(0)
    for frame in volume:
        for plane in frame:
            for row in plane:
                for x in range(len(row)):
                    total |= row[x]
    return total != 0


@jit
def enter_map(volume: Any, maps: Any, maps_wide: Any, sums: Any, spare: Any, cells: Any, counts: Any) -> None:
    """All parities of a map, and its wide sums."""
    sums[:] = 0
    for p in range(8):
        lattice(volume, p, maps[p], cells, counts)
        for i in range(len(sums)):
            sums[i] += maps[p, i]
    wide(sums, maps_wide[0], maps_wide[1], spare, cells)


@jit
def _there(band: Any) -> Any:
    """Whether a band has any coefficient."""
    return band[1] * band[2] * band[3] * band[4] > 0


@jit
def band_factors(divisors: Any, weights: Any, many: Any, mean: int, out: Any) -> None:
    """Integers that the sums of a band are multiplied by, and the constant: what is missing counts as the band's mean.

    `many`: how many bands each map is a sum of; 0: it is missing.
    """
    for number in range(8):
        constant = weights[number, MEAN]
        for f in range(MEAN):
            divisor = divisors[number, f]
            if f >= MAPS:
                divisor *= many[(f - MAPS) // 3]
            if divisor:
                out[number, f] = (weights[number, f] * (128 << PLACES) + divisor) // (2 * divisor)
            else:
                out[number, f] = 0
                constant += weights[number, f]
        out[number, MEAN] = (constant * mean) << (PLACES - 8)


@jit
def prepare(
    magnitudes: Any, setup: Setup, own: int, box: Any, begin: int, w: Space, cells: Any, counts: Any, many: Any,
    live: Any,
) -> None:  # fmt: skip
    """Maps of a band in frames of a tile: the parent along the last group, bands of the rung, parents along the others.

    `many`: how many bands each is a sum of; `live`: whether it is more than zeros, which are not entered.
    """
    bands, groups = setup.bands, setup.parents.shape[1]
    many[:] = 0
    live[:] = False
    for m in range(3):
        w.volume[:] = 0
        if m == 1:
            for other in range(max(setup.first[own], 1), own):
                if _there(bands[other]):
                    many[1] += 1
                    add_map(magnitudes, bands[other], 0, box, begin, w.volume)
        else:
            for g in range(groups - 1 if m == 0 else 0, groups if m == 0 else groups - 1):
                there = setup.parents[own, g]
                if there >= 0 and _there(bands[there]):
                    many[m] += 1
                    add_map(magnitudes, bands[there], setup.halves[g], box, begin, w.volume)
        live[m] = many[m] > 0 and _any(w.volume)
        if live[m]:
            enter_map(w.volume, w.maps[m], w.maps_wide[m], w.sums, w.spare, cells, counts)
