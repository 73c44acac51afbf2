"""Diffusion into a hole, compiled: the floats of `tinc_codec.detail.fill.diffuse`, sum by sum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.runtime.threads import evenly

_WORTH = 2**16
"""Samples that are worth a thread."""


def diffuse(volume: NDArray[np.float32], known: NDArray[np.bool_], rounds: int) -> None:
    """Let samples diffuse into those that are not known, in place."""
    axes = [axis for axis, n in enumerate(volume.shape) if n > 1]
    if not axes:
        return
    one, two = np.empty_like(volume), np.empty_like(volume)
    for _ in range(rounds):
        source, target, other = volume, one, two
        for axis in axes[:-1]:
            _along(source, axis, target, known, every=True)
            source, target, other = target, other, target
        _along(source, axes[-1], volume if len(axes) > 1 else target, known, every=len(axes) == 1)
        if len(axes) == 1:  # what is read must not be written to meanwhile
            np.copyto(volume, target, where=~known)


def _along(
    source: NDArray[np.float32], axis: int, target: NDArray[np.float32], known: NDArray[np.bool_], every: bool
) -> None:
    """Means of three neighbours along an axis: of `every` sample, or of those that are not known."""
    n, inner = source.shape[axis], math.prod(source.shape[axis + 1 :])
    views = [each.reshape(-1, n, inner) if inner > 1 else each.reshape(-1, n) for each in (source, target, known)]
    function = _rows if inner > 1 else _lines
    parts = source.size // (inner if inner > 1 else n)
    evenly(lambda begin, end: function(*views, every, begin, end), parts, source.size / parts, _WORTH)


@jit
def _rows(source: Any, target: Any, known: Any, every: bool, first: int, last: int) -> None:
    n, third = source.shape[1], np.float32(3)
    for row in range(first, last):
        o, k = row // n, row % n
        before, here, after = source[o, max(k - 1, 0)], source[o, k], source[o, min(k + 1, n - 1)]
        mine, fixed = target[o, k], known[o, k]
        for x in range(len(mine)):
            mean = ((here[x] + after[x]) + before[x]) / third
            mine[x] = mean if every or not fixed[x] else mine[x]


@jit
def _lines(source: Any, target: Any, known: Any, every: bool, first: int, last: int) -> None:
    n, third = source.shape[1], np.float32(3)
    for row in range(first, last):
        line, mine, fixed = source[row], target[row], known[row]
        for x in range(n):
            mean = ((line[x] + line[min(x + 1, n - 1)]) + line[max(x - 1, 0)]) / third
            mine[x] = mean if every or not fixed[x] else mine[x]
