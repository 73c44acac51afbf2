"""Chunks' leaves as training samples, and those of several on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.encoding.fit.device import tensor
from tinc_codec.tree.inference import local_coordinates
from tinc_codec.tree.model import AMPLITUDE
from tinc_codec.tree.structure import Tree


@dataclass(eq=False)
class Samples:
    """Normalised leaves.

    Parameters
    ----------
    coordinates
        ``(cells, axes)``, the local coordinates all leaves share, within ±1.
    targets
        ``(cells, leaves)``, mean 0 and variance 1 over what counts.
    weights
        ``(cells, leaves)``, mean 1; 0 where a cell does not count. None: all count.
    gain, shift
        Intensity above the model's offset is ``gain * target + shift``.
    """

    coordinates: Array
    targets: Array
    weights: Array | None
    gain: float
    shift: float

    @property
    def means(self) -> Array:
        """Mean of every leaf."""
        if self.weights is None:
            return self.targets.mean(0)
        return (self.targets * self.weights).sum(0) / self.weights.sum(0).clamp(min=1e-6)


@dataclass(frozen=True, eq=False)
class Stack:
    """Samples of chunks whose trees are alike, on a device.

    Parameters
    ----------
    coordinates
        ``(cells, axes)``, of all chunks.
    targets, weights
        ``(chunks, cells, leaves)``, see `Samples`.
    """

    coordinates: Array
    targets: Array
    weights: Array | None

    @classmethod
    def of(cls, samples: Sequence[Samples], device: torch.device) -> Stack:
        """Bring the samples of chunks to a device; either all of them have weights or none."""
        weights = [each.weights for each in samples if each.weights is not None]
        assert len(weights) in (0, len(samples))
        return cls(
            samples[0].coordinates.to(device),
            torch.stack([each.targets for each in samples]).to(device),
            torch.stack(weights).to(device) if weights else None,
        )

    def draw(self, points: int, generators: Sequence[torch.Generator]) -> tuple[Array, Array, Array | None]:
        """Coordinates ``(chunks, axes, points)``, targets and weights ``(chunks, leaves, points)`` at random cells.

        Parameters
        ----------
        points
            Of each chunk; of as many as there are cells, or more, all are taken.
        generators
            One for each chunk, on the device.
        """
        chunks, cells, _ = self.targets.shape
        if points >= cells:
            weights = None if self.weights is None else self.weights.transpose(1, 2)
            return self.coordinates.T.expand(chunks, -1, -1), self.targets.transpose(1, 2), weights
        place = self.targets.device
        chosen = torch.stack([torch.randint(cells, (points,), generator=each, device=place) for each in generators])
        coordinates = self.coordinates.index_select(0, chosen.flatten()).view(chunks, points, -1).transpose(1, 2)
        weights = None if self.weights is None else _at(self.weights, chosen)
        return coordinates, _at(self.targets, chosen), weights


def _at(values: Array, chosen: Array) -> Array:
    """What ``(chunks, cells, leaves)`` has at cells ``(chunks, points)``, as ``(chunks, leaves, points)``."""
    return values.gather(1, chosen[:, :, None].expand(-1, -1, values.shape[2])).transpose(1, 2)


def samples(tree: Tree, volume: NDArray[np.float64], counts: NDArray[np.bool_] | None, offset: float) -> Samples:
    """Prepare a chunk for training.

    Parameters
    ----------
    volume
        The chunk, shape of the tree's partition, finite.
    counts
        Which voxels the error counts in; None: all.
    offset
        The model's offset, in the data's units.
    """
    part = tree.partition
    blocks = part.to_blocks(volume)[tree.leaves]
    valid = part.valid_cells()
    mask = None if valid is None else valid[tree.leaves]
    if counts is not None:
        chosen = part.to_blocks(counts)[tree.leaves]
        mask = chosen if mask is None else chosen & mask
    kept = blocks if mask is None else blocks[mask]
    mean = float(kept.mean()) if kept.size else 0.0
    gain = float(kept.std()) if kept.size else 1.0
    gain = gain if gain > 0 else 1.0
    coordinates = local_coordinates(part.leaf_shape).T / AMPLITUDE

    weights = None if mask is None else tensor(mask.T / max(mask.mean(), 1e-9))
    return Samples(tensor(coordinates), tensor((blocks.T - mean) / gain), weights, gain, mean - offset)
