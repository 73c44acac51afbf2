"""What the root gave at local coordinates that were wanted before: the same for all leaves, and for the next read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.pieces import Piece

FEWEST = 64
"""Fewer coordinates are evaluated again rather than looked for."""


class RootActivations:
    """Activations of a model's root by local coordinates; int16, ``(width, points)``.

    Planes of a chunk that are one leaf apart want the same local coordinates, and the root is the widest network on
    each path.
    """

    def __init__(self, layout: NodeLayout) -> None:
        self._worth = len(layout.below) > 1  # else the root is a leaf
        self._kept: dict[bytes, NDArray[np.int16]] = {}

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return sum(len(key) + kept.nbytes for key, kept in list(self._kept.items()))

    def of(self, piece: Piece, evaluate: Callable[[NDArray[np.float32]], NDArray[Any]]) -> NDArray[np.int16] | None:
        """Activations of a piece, from an earlier read or by `evaluate`; None where they are not worth keeping."""
        if not self._worth or len(piece.offsets) < FEWEST:
            return None
        key = piece.coordinates.tobytes()
        if key not in self._kept:
            self._kept[key] = evaluate(piece.coordinates).astype(np.int16)
        return self._kept[key]
