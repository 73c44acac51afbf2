"""A lattice as compiled code holds it: samples at even and at odd places along the last axis, row by row.

So the neighbours of a row's voxels lie side by side. Other axes are reflected by index, the last one by a few cells
beyond the ends of each row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit

AXES = 4
"""Axes of every lattice; those that a chunk has are the last ones."""

PAD = 2
"""Cells beyond the ends of a row."""


@jit
def reflected(i: int, n: int) -> int:
    """An index of 0 .. n - 1, mirrored at the ends until it is inside."""
    if n == 1:
        return 0
    while i < 0 or i >= n:
        i = -i if i < 0 else 2 * (n - 1) - i
    return i


@jit
def pad_row(row: Any, n: int) -> None:
    """Fill the cells beyond the ends of a row that is held as its even and its odd places."""
    for phase in range(2):
        size = (n + 1 - phase) // 2
        for k in range(-PAD, 0):
            i = reflected(2 * k + phase, n)
            row[phase, k + PAD] = row[i % 2, i // 2 + PAD]
        for k in range(size, row.shape[1] - PAD):
            i = reflected(2 * k + phase, n)
            row[phase, k + PAD] = row[i % 2, i // 2 + PAD]


@jit
def split(lattice: Any) -> Any:
    """A lattice as even and odd places of every row, padded."""
    n0, n1, n2, n = lattice.shape
    rows = np.empty((n0, n1, n2, 2, (n + 1) // 2 + 2 * PAD + 1), np.float64)
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                for i in range(n):
                    rows[a, b, c, i % 2, i // 2 + PAD] = lattice[a, b, c, i]
                pad_row(rows[a, b, c], n)
    return rows


@jit
def joined(rows: Any, lattice: Any) -> None:
    """The inverse of `split`."""
    n0, n1, n2, n = lattice.shape
    for a in range(n0):
        for b in range(n1):
            for c in range(n2):
                for i in range(n):
                    lattice[a, b, c, i] = rows[a, b, c, i % 2, i // 2 + PAD]
