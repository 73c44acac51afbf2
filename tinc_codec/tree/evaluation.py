"""Models at selections of positions, by the fastest decoder that there is; the bytes are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.jit import compiled
from tinc_codec.runtime import process
from tinc_codec.tree import inference
from tinc_codec.tree.ancestors import Ancestors
from tinc_codec.tree.paths import Paths
from tinc_codec.tree.wanted import Piece, Positions, points, product


def at_product(paths: Paths, positions: Sequence[Positions], ancestors: Ancestors | None = None) -> NDArray[Any]:
    """Samples at the product of positions along each axis, in voxels; dtype of the model.

    `ancestors` are those of earlier reads, and get what this one adds.
    """
    wanted = product(paths.model.tree.partition, positions)
    return wanted.arranged(_filled(paths, wanted.pieces(), math.prod(wanted.shape), ancestors))


def at_points(paths: Paths, positions: Positions) -> NDArray[Any]:
    """Samples at single positions, ``(axes, points)``, in voxels; dtype of the model."""
    return _filled(paths, points(paths.model.tree.partition, positions), positions.shape[1])


def whole(paths: Paths) -> NDArray[Any]:
    """All samples, in the partition's shape; in torch where the process names another device than the CPU."""
    device = process().device
    if device not in ("auto", "cpu"):
        from tinc_codec.tree import inference_torch

        return inference_torch.decode(paths.model, device)
    return at_product(paths, [np.arange(n) for n in paths.model.tree.partition.shape])


def _filled(paths: Paths, pieces: Iterable[Piece], size: int, ancestors: Ancestors | None = None) -> NDArray[Any]:
    dtype = paths.model.dtype
    if not compiled():
        output = np.empty(size, dtype)
        inference.fill(paths, _networks(paths, pieces, output), output, ancestors)
        return output
    from tinc_codec.tree import inference_numba

    # numba knows no float16; and keeping ancestors costs it as much as evaluating them again
    output = np.empty(size, np.float64 if dtype == np.float16 else dtype)
    inference_numba.fill(paths, _networks(paths, pieces, output), output)
    return output.astype(dtype, copy=False)


def _networks(paths: Paths, pieces: Iterable[Piece], output: NDArray[Any]) -> Iterator[Piece]:
    """Pieces at those of their leaves that have networks; the others' constants are filled in."""
    for piece in pieces:
        chosen = paths.network[piece.leaves]
        if chosen.all():
            yield piece
            continue
        for leaf, start in zip(piece.leaves[~chosen], piece.starts[~chosen], strict=True):
            output[start + piece.offsets] = paths.constants[leaf]
        if chosen.any():
            yield replace(piece, leaves=piece.leaves[chosen], starts=piece.starts[chosen])
