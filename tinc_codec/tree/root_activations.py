"""What the root gave at local coordinates that were wanted before: the same for all leaves, and for the next read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.pieces import Piece

FEWEST, MOST = 64, 2**23
"""Fewer coordinates, or more activations, are evaluated again rather than looked for."""


class RootActivations:
    """Activations of a model's root by local coordinates; int16, ``(width, points)``.

    Planes of a chunk that are one leaf apart want the same local coordinates, and the root is the widest network on
    each path.
    """

    def __init__(self, layout: NodeLayout) -> None:
        self._worth = len(layout.below) > 1  # else the root is a leaf
        self._width = int(layout.layers[: layout.count[0], 2].max(initial=0))
        self._kept: dict[bytes, NDArray[np.int16]] = {}

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return sum(len(key) + kept.nbytes for key, kept in list(self._kept.items()))

    def of(self, piece: Piece, evaluate: Callable[[NDArray[np.float32]], NDArray[Any]]) -> NDArray[np.int16] | None:
        """Activations of a piece, from an earlier read or by `evaluate`; None where it is not worth keeping them."""
        points = len(piece.offsets)
        if not self._worth or points < FEWEST or points * self._width > MOST:
            return None
        key = piece.coordinates.tobytes()
        if key not in self._kept:
            self._kept[key] = evaluate(piece.coordinates).astype(np.int16)
        return self._kept[key]
