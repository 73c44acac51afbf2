"""Where voxels of a pass lie, and what lies around them, compiled: see `tinc_codec.residual.lattices`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.interlace import AXES
from tinc_codec.residual.interlace import REACH, Offset
from tinc_codec.residual.lattices import Lattices, Members, Surroundings
from tinc_codec.residual.prediction import FAR, NEAR
from tinc_codec.runtime.threads import evenly

_WORTH = 2**13
"""Voxels that are worth a thread."""

_BLOCK = 256
"""Voxels whose surroundings are gathered at once: so few that they stay in cache."""


def places(lattices: Lattices, members: Members, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """See `tinc_codec.residual.lattices.places`."""
    step, more = members.step, AXES - len(members.step.parity)
    counts = np.ones((len(members.counts), AXES), np.int64)
    counts[:, more:] = members.counts
    stride = 2 if step.pairs else 1
    strides = np.array([0] * more + [stride * s for s in lattices.strides], np.int64)
    found = np.empty(len(chosen), np.intp)
    first = lattices.further(tuple(REACH + odd for odd in step.parity))
    _places(chosen, counts, lattices.values[0].size, first, strides, found)
    return found


@jit
def _places(chosen: Any, counts: Any, size: int, origin: int, strides: Any, out: Any) -> None:
    """`size`: places of a tile; `origin`: of its first voxel among them."""
    t, begin = 0, 0
    n1, n2, n3 = np.int32(counts[0, 1]), np.int32(counts[0, 2]), np.int32(counts[0, 3])
    end = counts[0].prod()
    for k in range(len(chosen)):
        while chosen[k] >= end:
            t, begin = t + 1, end
            n1, n2, n3 = np.int32(counts[t, 1]), np.int32(counts[t, 2]), np.int32(counts[t, 3])
            end = begin + counts[t].prod()
        rest = np.int32(chosen[k] - begin)  # tiles are small, and such numbers are divided fast
        row, d = rest // n3, rest % n3
        plane, c = row // n2, row % n2
        out[k] = (
            t * size + origin + plane // n1 * strides[0] + plane % n1 * strides[1] + c * strides[2] + d * strides[3]
        )


def surroundings(lattices: Lattices, places: NDArray[np.intp], pairs: tuple[Offset, ...]) -> Surroundings:
    """See `tinc_codec.residual.lattices.surroundings`."""
    count, near = len(places), min(FAR, len(pairs))
    around = Surroundings(np.empty((len(pairs), count)), np.empty((2 * near, count)), np.zeros((2, count)))
    offsets = np.array([lattices.further(pair) for pair in pairs], np.int64)
    values, errors = lattices.values.ravel(), lattices.errors.ravel()
    blocks = -(-count // _BLOCK)
    evenly(
        lambda begin, end: _gather(values, errors, places, offsets, *around, begin * _BLOCK, min(end * _BLOCK, count)),
        blocks,
        _BLOCK,
        _WORTH,
    )
    return around


@jit
def _gather(
    values: Any, errors: Any, places: Any, offsets: Any, pairs: Any, near: Any, mistakes: Any, first: int, last: int
) -> None:
    """What lies around voxels from `first` on, block by block."""
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        here = places[begin:end]
        for j in range(len(offsets)):
            offset, sums, least = offsets[j], pairs[j, begin:end], pairs[0, begin:end]
            if j < FAR:
                one, two, far, close = (
                    near[2 * j, begin:end],
                    near[2 * j + 1, begin:end],
                    mistakes[1, begin:end],
                    mistakes[0, begin:end],
                )
                for k in range(len(here)):
                    one[k], two[k] = values[here[k] + offset], values[here[k] - offset]
                    wrong = errors[here[k] + offset] + errors[here[k] - offset]
                    far[k] += wrong
                    if j < NEAR:
                        close[k] += wrong
                    sums[k] = one[k] + two[k] - (least[k] if j else 0.0)
            else:
                for k in range(len(here)):
                    sums[k] = values[here[k] + offset] + values[here[k] - offset] - least[k]
