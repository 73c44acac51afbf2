"""What a tile of a band is predicted from, compiled: maps of bands that are known, cut to the tile."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.contexts import fill_border, lattice, wide
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
def _groups(setup: Setup, own: int, m: int) -> Any:
    """The groups along which a band has parents that a map is of: the last group, or the others."""
    last = setup.parents.shape[1] - 1
    groups, count = np.empty(last + 1, np.int64), 0
    for g in range(last if m == 0 else 0, last + 1 if m == 0 else last):
        there = setup.parents[own, g]
        if there >= 0 and _there(setup.bands[there]):
            groups[count], count = g, count + 1
    return groups[:count]


@jit
def _halves(box: Any, w: Space) -> Any:
    """Whether cells of a tile and of what is split once more begin and end together along the last three axes."""
    odd = 0
    for axis in range(1, 4):
        odd |= (box[axis, 0] | w.shape[axis]) & 1
    return odd == 0


@jit
def _parity_of(magnitudes: Any, band: Any, halved: int, box: Any, begin: int, p: int, cells: Any, out: Any) -> Any:
    """One parity of a parent of a tile whose cells are whole; whether any is not 0. There is no border yet.

    Along the axes of `halved` a cell has one parent, along the others each coefficient has.
    """
    sy, sz, n2, n3, total = cells[2] + 2, (cells[2] + 2) * (cells[1] + 2), band[3], band[4], np.uint8(0)
    hz, hy, hx = (halved >> 2) & 1, (halved >> 1) & 1, halved & 1
    last, step, first = n3 - 1, 2 - hx, (box[3, 0] >> hx) + (p & 1)
    inside = min(cells[2], max(0, (last - first) // step + 1))
    frames = len(out) // (sz * (cells[0] + 2))
    for t in range(frames):
        frame = min((begin + t) >> ((halved >> 3) & 1), band[1] - 1)
        for z in range(cells[0]):
            deep = min((box[1, 0] >> hz) + (2 - hz) * z + ((p >> 2) & 1), band[2] - 1)
            for y in range(cells[1]):
                row = min((box[2, 0] >> hy) + (2 - hy) * y + ((p >> 1) & 1), n2 - 1)
                base = band[0] + ((frame * band[2] + deep) * n2 + row) * n3
                at = ((t * (cells[0] + 2)) + z + 1) * sz + (y + 1) * sy + 1
                for x in range(inside):
                    value = magnitudes[base + first + step * x]
                    total |= value
                    out[at + x] = value
                for x in range(inside, cells[2]):
                    out[at + x] = magnitudes[base + last]
    return total != 0


@jit
def _enter_parent(
    magnitudes: Any, setup: Setup, own: int, g: int, m: int, box: Any, begin: int, w: Space, cells: Any
) -> Any:
    """Map of one parent of a tile whose cells are whole; whether it is more than zeros."""
    band, halved = setup.bands[setup.parents[own, g]], setup.halves[g]
    mask, live, times = 7 & ~halved, False, 8
    for p in range(8):
        if p & mask == p:
            live |= _parity_of(magnitudes, band, halved, box, begin, p, cells, w.maps[m, p])
    w.masks[m] = mask
    if not live:
        return False
    for axis in range(3):
        if mask >> axis & 1:
            times //= 2
    w.sums[:] = 0
    for p in range(8):
        if p & mask == p:
            flat = w.maps[m, p]
            fill_border(flat, cells, cells)
            for i in range(len(flat)):
                w.sums[i] += flat[i] * times
    wide(w.sums, w.maps_wide[m, 0], w.maps_wide[m, 1], w.spare, cells)
    return True


@jit
def _enter_all(
    magnitudes: Any, setup: Setup, own: int, m: int, box: Any, begin: int, w: Space, cells: Any, counts: Any
) -> Any:
    """Map of several bands, or of one of a tile of any shape; whether it is more than zeros."""
    w.volume[:] = 0
    w.masks[m] = 7
    if m == 1:
        for other in range(max(setup.first[own], 1), own):
            if _there(setup.bands[other]):
                add_map(magnitudes, setup.bands[other], 0, box, begin, w.volume)
    else:
        for g in _groups(setup, own, m):
            add_map(magnitudes, setup.bands[setup.parents[own, g]], setup.halves[g], box, begin, w.volume)
    if not _any(w.volume):
        return False
    enter_map(w.volume, w.maps[m], w.maps_wide[m], w.sums, w.spare, cells, counts)
    return True


@jit
def _append(mine: Any, sums: Any, first: bool) -> None:
    if first:
        sums[:] = mine
    else:
        for i in range(len(sums)):
            sums[i] += mine[i]


@jit
def hand_on(w: Space, first: bool) -> None:
    """Add the magnitudes of a tile to those of its rung's bands before it, which were all 0 before the `first`."""
    for p in range(8):
        _append(w.own[p], w.maps[1, p], first)
    _append(w.sums, w.rung, first)


@jit
def prepare(
    magnitudes: Any, setup: Setup, own: int, box: Any, begin: int, w: Space, cells: Any, counts: Any, many: Any,
    live: Any, handed: bool,
) -> None:  # fmt: skip
    """Maps of a band in frames of a tile: the parent along the last group, bands of the rung, parents along the others.

    `many`: how many bands each is a sum of; `live`: whether it is more than zeros, which are not entered. `handed`:
    what the rung's bands count as was handed on from tile to tile, see `hand_on`; `live[1]` says whether it is more.
    """
    many[:] = 0
    whole = _halves(box, w)
    for m in (0, 2):
        groups = _groups(setup, own, m)
        many[m] = len(groups)
        if many[m] == 1 and whole:
            live[m] = _enter_parent(magnitudes, setup, own, groups[0], m, box, begin, w, cells)
        else:
            live[m] = many[m] > 0 and _enter_all(magnitudes, setup, own, m, box, begin, w, cells, counts)
    for other in range(max(setup.first[own], 1), own):
        many[1] += _there(setup.bands[other])
    if not handed:
        live[1] = many[1] > 0 and _enter_all(magnitudes, setup, own, 1, box, begin, w, cells, counts)
    elif live[1]:
        wide(w.rung, w.maps_wide[1, 0], w.maps_wide[1, 1], w.spare, cells)
