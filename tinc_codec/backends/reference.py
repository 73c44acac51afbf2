"""The reference backend: NumPy and constriction, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail import reference as detail
from tinc_codec.residual import tiles
from tinc_codec.residual.classified import classified
from tinc_codec.residual.equations import of_prediction, of_spread
from tinc_codec.residual.lattices import code_pass, places, surroundings, take
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.stream import model_section
from tinc_codec.stream.container import Container
from tinc_codec.tree import inference
from tinc_codec.tree.node_layout import NodeLayout, lay_out
from tinc_codec.tree.pieces import Piece, points, product
from tinc_codec.tree.root_activations import RootActivations
from tinc_codec.tree.runs import Positions

__all__ = [
    "at_points",
    "at_product",
    "classified",
    "code_pass",
    "detail",
    "of_prediction",
    "of_spread",
    "places",
    "surroundings",
    "take",
    "tile_decoder",
    "training",
    "unpack_model",
]

training = None
"""See `Backend.training`: torch's own operations are the reference."""


def unpack_model(container: Container, shape: tuple[int, ...]) -> NodeLayout:
    """See `Backend.unpack_model`."""
    return lay_out(model_section.unpack(container, shape))


def at_product(layout: NodeLayout, positions: Sequence[Positions], root: RootActivations | None = None) -> NDArray[Any]:
    """See `Backend.at_product`."""
    selected = product(layout.model.tree.partition, positions)
    return selected.arranged(_evaluated(layout, selected.pieces(), selected.size, root))


def at_points(layout: NodeLayout, positions: Positions) -> NDArray[Any]:
    """See `Backend.at_points`."""
    return _evaluated(layout, points(layout.model.tree.partition, positions), positions.shape[1], None)


def tile_decoder(parameters: ResidualParameters) -> TileDecoder:
    """See `Backend.tile_decoder`."""
    return TileDecoder(parameters)


@dataclass(frozen=True, eq=False)
class TileDecoder:
    """Decodes tiles pass by pass, whole passes at a time."""

    parameters: ResidualParameters
    nbytes: int = 0

    def decode(
        self, code: bytes, base: NDArray[np.float64], mask: NDArray[np.bool_] | None, level: int = 0
    ) -> NDArray[np.float64]:
        """Integers of one tile."""
        return tiles.decode_tile(code, self.parameters, base, mask, level)


def _evaluated(layout: NodeLayout, pieces: Iterable[Piece], size: int, root: RootActivations | None) -> NDArray[Any]:
    output = np.empty(size, layout.model.dtype)
    inference.fill(layout, pieces, output, root)
    return output
