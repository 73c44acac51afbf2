"""A chunk's leaves as training samples on a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

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
    def device(self) -> torch.device:
        """Where the samples are."""
        return self.targets.device

    @property
    def means(self) -> Array:
        """Mean of every leaf."""
        if self.weights is None:
            return self.targets.mean(0)
        return (self.targets * self.weights).sum(0) / self.weights.sum(0).clamp(min=1e-6)

    def draw(self, points: int, generator: torch.Generator) -> tuple[Array, Array, Array | None]:
        """Coordinates ``(axes, points)``, targets and weights ``(leaves, points)`` at random cells."""
        cells = len(self.coordinates)
        if points >= cells:
            chosen: Array | slice = slice(None)
        else:
            chosen = torch.randint(cells, (points,), generator=generator, device=self.device)
        weights = None if self.weights is None else self.weights[chosen].T
        return self.coordinates[chosen].T, self.targets[chosen].T, weights


def samples(
    tree: Tree, volume: NDArray[np.float64], counts: NDArray[np.bool_] | None, offset: float, device: torch.device
) -> Samples:
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

    def tensor(values: NDArray[Any]) -> Array:
        return torch.as_tensor(np.ascontiguousarray(values, np.float32), device=device)

    weights = None if mask is None else tensor(mask.T / max(mask.mean(), 1e-9))
    return Samples(tensor(coordinates), tensor((blocks.T - mean) / gain), weights, gain, mean - offset)
