"""Windows of a chunk's leaves: what one step of training sees, the same place in every leaf."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.detail.plan import AXES, Plan, Shape
from tinc_codec.detail.scale import Scale
from tinc_codec.encoding.fit.device import tensor
from tinc_codec.encoding.fit.packet import Packet
from tinc_codec.tree.inference import local_coordinates
from tinc_codec.tree.model import AMPLITUDE
from tinc_codec.tree.structure import Tree

_SHORTEST = 8
"""Voxels that a window keeps along an axis, where the axis has them."""


def window_shape(leaf: tuple[int, ...], leaves: int, limit: int) -> tuple[int, ...]:
    """The shape of a window: the leaf's, its longest axis halved until all leaves' windows have at most `limit` voxels.

    Parameters
    ----------
    leaf
        Shape of a leaf.
    leaves
        How many there are.
    """
    shape = list(leaf)
    while math.prod(shape) * leaves > limit and max(shape) > _SHORTEST:
        longest = max(range(len(shape)), key=lambda axis: shape[axis])
        shape[longest] = -(-shape[longest] // 2)
    return tuple(shape)


@dataclass(frozen=True, eq=False)
class Windows:
    """A chunk's leaves, normalised, on the CPU, to draw windows from.

    Parameters
    ----------
    coordinates
        ``(axes, *leaf)``, within ±1.
    leaves
        ``(leaves, *leaf)``, mean 0 and variance 1 over all.
    shape
        Of a window.
    halvings
        How often each axis of the leaves was halved.
    gain, mean
        A sample is ``gain * value + mean``.
    """

    coordinates: Array
    leaves: Array
    shape: tuple[int, ...]
    halvings: tuple[int, ...]
    gain: float
    mean: float

    @classmethod
    def of(cls, tree: Tree, volume: NDArray[np.float64], limit: int) -> Windows:
        """Prepare a chunk, on the CPU.

        Parameters
        ----------
        volume
            Shape of the tree's partition, finite.
        limit
            Voxels of one step, at most.
        """
        part = tree.partition
        mean, spread = float(volume.mean()), float(volume.std())
        gain = spread if spread > 0 else 1.0
        blocks = part.to_blocks((volume - mean) / gain)[tree.leaves].reshape(-1, *part.leaf_shape)
        grid = (local_coordinates(part.leaf_shape) / AMPLITUDE).reshape(-1, *part.leaf_shape)
        coordinates, leaves = (tensor(each) for each in (grid, blocks))
        shape = window_shape(part.leaf_shape, len(tree.leaves), limit)
        return cls(coordinates, leaves, shape, (0,) * len(shape), gain, mean)

    def coarse(self, voxels: int) -> Windows:
        """Means over cells, so that all leaves have at most so many voxels, in one window."""
        coordinates, leaves, halvings = self.coordinates, self.leaves, list(self.halvings)
        while leaves.numel() > voxels and max(leaves.shape[1:]) > _SHORTEST:
            longest = max(range(len(halvings)), key=lambda axis: leaves.shape[axis + 1])
            coordinates, leaves = _halved(coordinates, longest + 1), _halved(leaves, longest + 1)
            halvings[longest] += 1
        return replace(
            self, coordinates=coordinates, leaves=leaves, shape=tuple(leaves.shape[1:]), halvings=tuple(halvings)
        )

    def packet(self, plan: Plan, scale: Scale) -> Packet:
        """The packet of the windows of a volume with this plan and these steps."""
        return Packet.of(plan, scale, four(self.shape, 1), self.gain, four(self.halvings, 0))

    def times_power(self, exponent: int) -> Windows:
        """The same of a volume that is 2^exponent times as large."""
        return replace(self, gain=math.ldexp(self.gain, exponent), mean=math.ldexp(self.mean, exponent))

    @property
    def voxels(self) -> int:
        """Voxels of one step: of a window in every leaf."""
        return len(self.leaves) * math.prod(self.shape)

    @property
    def share(self) -> float:
        """For how many windows each one stands."""
        return math.prod(self.leaves.shape[1:]) / math.prod(self.shape)

    @property
    def means(self) -> Array:
        """Mean of every leaf."""
        return self.leaves.flatten(1).mean(1)


def _halved(values: Array, axis: int) -> Array:
    """Means of neighbours along an axis; the last of an odd number stays."""
    n = values.shape[axis]
    even, odd = values.narrow(axis, 0, n // 2 * 2), values.narrow(axis, n // 2 * 2, n % 2)
    pairs = even.reshape(*values.shape[:axis], n // 2, 2, *values.shape[axis + 1 :]).mean(axis + 1)
    return torch.cat([pairs, odd], axis)


def four(values: tuple[int, ...], leading: int) -> Shape:
    """The same of four axes."""
    return (leading,) * (AXES - len(values)) + values  # type: ignore[return-value]
