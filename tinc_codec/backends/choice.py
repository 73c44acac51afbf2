"""Models at selections of positions, by the fastest decoder that there is; the bytes are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import compiled
from tinc_codec.runtime.settings import process
from tinc_codec.tree import inference
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.pieces import Batch, Piece, Positions, in_batches, points, product
from tinc_codec.tree.root_activations import RootActivations


def at_product(
    layout: NodeLayout, positions: Sequence[Positions], activations: RootActivations | None = None
) -> NDArray[Any]:
    """Samples at the product of positions along each axis, in voxels; dtype of the model.

    `ancestors` are those of earlier reads, and get what this one adds.
    """
    wanted = product(layout.model.tree.partition, positions)
    size = math.prod(wanted.shape)
    if compiled():
        return wanted.arranged(_by_numba(layout, wanted.batches(), size))
    return wanted.arranged(_by_numpy(layout, wanted.pieces(), size, activations))


def at_points(layout: NodeLayout, positions: Positions) -> NDArray[Any]:
    """Samples at single positions, ``(axes, points)``, in voxels; dtype of the model."""
    pieces, size = points(layout.model.tree.partition, positions), positions.shape[1]
    return _by_numba(layout, in_batches(pieces), size) if compiled() else _by_numpy(layout, pieces, size)


def whole(layout: NodeLayout) -> NDArray[Any]:
    """All samples, in the partition's shape; in torch where the process names another device than the CPU."""
    device = process().device
    if device not in ("auto", "cpu"):
        from tinc_codec.backends.torch import inference as inference_torch

        return inference_torch.decode(layout.model, device)
    return at_product(layout, [np.arange(n) for n in layout.model.tree.partition.shape])


def _by_numpy(
    layout: NodeLayout, pieces: Iterable[Piece], size: int, activations: RootActivations | None = None
) -> NDArray[Any]:
    output = np.empty(size, layout.model.dtype)
    inference.fill(layout, pieces, output, activations)
    return output


def _by_numba(layout: NodeLayout, batches: Iterable[Batch], size: int) -> NDArray[Any]:
    """Without keeping activations, which costs as much as evaluating them again."""
    from tinc_codec.backends.numba import inference as inference_numba

    dtype = layout.model.dtype
    output = np.empty(size, np.float64 if dtype == np.float16 else dtype)  # numba knows no float16
    inference_numba.fill(layout, batches, output)
    return output.astype(dtype, copy=False)
