"""What the root gave at local coordinates that were wanted before: the same for all leaves, and for the next read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.paths import Paths
from tinc_codec.tree.wanted import Piece

FEWEST = 64
"""Fewer coordinates are evaluated again rather than looked for."""


class Ancestors:
    """Activations of a model's root by local coordinates; int16, ``(width, points)``.

    Planes of a chunk that are one leaf apart want the same local coordinates, and the root is the widest network on
    each path. The NumPy decoder gains 4 to 43 % by it; the compiled one evaluates the root as fast as it would copy it.
    """

    def __init__(self, paths: Paths) -> None:
        last = int(paths.first[0] + paths.count[0]) - 1
        self._rows = int(paths.layers[last, 2]) if len(paths.below) > 1 else 0
        self._kept: dict[bytes, NDArray[np.int16]] = {}

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return sum(len(key) + kept.nbytes for key, kept in list(self._kept.items()))

    def find(self, piece: Piece) -> tuple[NDArray[np.int16] | None, bool]:
        """Activations of a piece, and whether they are known; an array to be filled where they are not.

        None where it is not worth it, or where the root itself is a leaf.
        """
        if not self._rows or len(piece.offsets) < FEWEST:
            return None, False
        known = self._kept.get(piece.coordinates.tobytes())
        if known is not None:
            return known, True
        return np.empty((self._rows, len(piece.offsets)), np.int16), False

    def keep(self, piece: Piece, activations: NDArray[np.int16]) -> None:
        """Keep what `find` gave to be filled."""
        self._kept[piece.coordinates.tobytes()] = activations
