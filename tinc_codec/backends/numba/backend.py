"""The compiled backend: numba, several times as fast as the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends import reference
from tinc_codec.backends.numba import inference, model_section, training
from tinc_codec.backends.numba.detail import work as detail
from tinc_codec.backends.numba.residual_classified import classified
from tinc_codec.backends.numba.residual_equations import of_prediction, of_spread
from tinc_codec.backends.numba.residual_passes import code_pass, take
from tinc_codec.backends.numba.residual_surroundings import places, surroundings
from tinc_codec.backends.numba.residual_tiles import TileDecoder
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.stream.container import Container
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.pieces import Batch, in_batches, points, product
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


def unpack_model(container: Container, shape: tuple[int, ...]) -> NodeLayout:
    """See `Backend.unpack_model`; what is refused here goes to the reference, which says what is wrong with it.

    So does a process's first model: nothing is compiled for a stream that is refused.
    """
    first = None if model_section.compiled() else reference.unpack_model(container, shape)
    layout = model_section.unpack(container, shape)
    return (first or reference.unpack_model(container, shape)) if layout is None else layout


def at_product(layout: NodeLayout, positions: Sequence[Positions], root: RootActivations | None = None) -> NDArray[Any]:
    """See `Backend.at_product`; keeping the root's activations would cost as much as evaluating them again."""
    selected = product(layout.model.tree.partition, positions)
    return selected.arranged(_evaluated(layout, selected.batches(), selected.size))


def at_points(layout: NodeLayout, positions: Positions) -> NDArray[Any]:
    """See `Backend.at_points`."""
    return _evaluated(layout, in_batches(points(layout.model.tree.partition, positions)), positions.shape[1])


def tile_decoder(parameters: ResidualParameters) -> TileDecoder:
    """See `Backend.tile_decoder`."""
    return TileDecoder(parameters)


def _evaluated(layout: NodeLayout, batches: Iterable[Batch], size: int) -> NDArray[Any]:
    dtype = layout.model.dtype
    output = np.empty(size, np.float64 if dtype == np.float16 else dtype)  # numba knows no float16
    inference.fill(layout, batches, output)
    return output.astype(dtype, copy=False)
