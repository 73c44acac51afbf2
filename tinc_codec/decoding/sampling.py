"""A chunk between its voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.interpolation import at_points
from tinc_codec.detail.samples import to_dtype
from tinc_codec.errors import SelectionError
from tinc_codec.stream import crop
from tinc_codec.tree.folding import Indices


def read(chunk: Chunk, coordinates: NDArray[np.float64]) -> NDArray[Any]:
    """Samples at positions in voxels, ``(axes, ...)``; see `tinc_codec.sample`."""
    shape = chunk.header.shape
    if coordinates.ndim < 1 or len(coordinates) != len(shape) or not shape:
        raise SelectionError(
            f"coordinates of shape {coordinates.shape} do not fit a chunk of shape {shape}: the first axis must have "
            f"{len(shape)} rows, one for each axis of the chunk"
        )
    flat = coordinates.reshape(len(shape), -1)
    for axis, (n, positions) in enumerate(zip(shape, flat, strict=True)):
        if not ((positions >= -0.5) & (positions <= n - 0.5)).all():  # NaN is outside, too
            raise SelectionError(f"positions along axis {axis} must be from -0.5 to {n - 0.5}, within the chunk")
    nearest = np.minimum(np.floor(flat + 0.5), np.array(shape)[:, None] - 1)
    kept = np.array(chunk.folding.kept)[:, None]
    samples = np.full(flat.shape[1], chunk.header.dtype.type(0), chunk.native)
    inside = (nearest < kept).all(axis=0)
    if not inside.all():
        samples[:] = crop.fill_value(chunk.container)
    if inside.any():
        part = np.minimum(flat[:, inside], kept - 0.5)
        samples[inside] = _folded(
            chunk, chunk.folding.points(list(part)), chunk.folding.points(list(nearest[:, inside]))
        )
    return samples.reshape(coordinates.shape[1:]).astype(chunk.header.dtype, copy=False)


def _folded(chunk: Chunk, positions: tuple[NDArray[Any], ...], nearest: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    voxels: Indices = tuple(index.astype(np.int64) for index in nearest)
    between = np.logical_or.reduce([p != v for p, v in zip(positions, voxels, strict=True)])
    samples = chunk.folded_points(voxels)
    if not between.any():
        return samples
    there = np.stack(positions).astype(np.float64)[:, between]
    exact = ~np.isfinite(samples) if chunk.native.kind == "f" else np.zeros(len(samples), bool)
    for overlay in chunk.overlays:
        exact |= overlay.mask[voxels]
    values = _between(chunk, there)
    usable = ~exact[between] & ~np.isnan(values)
    samples[np.flatnonzero(between)[usable]] = to_dtype(values[usable], chunk.native)
    return samples


def _between(chunk: Chunk, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The network's values plus the interpolated rest; NaN where no voxel around is a number that counts."""
    predictor = chunk.predictor
    model = None if predictor is None else predictor.at_points(positions).astype(np.float64)
    if model is not None and not chunk.has_residual:
        return model

    def rest(voxels: Indices) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        values = chunk.folded_points(voxels).astype(np.float64)
        counts = np.isfinite(values)
        for overlay in chunk.overlays:
            counts &= ~overlay.mask[voxels]
        if predictor is not None:
            values = values - predictor.at_points(np.stack(voxels))
        return values, counts

    added = at_points(rest, positions, chunk.folding.folded)
    return added if model is None else model + np.where(np.isnan(added), 0.0, added)
