"""What a fitted chunk is: a tree with integer weights, and how its output becomes intensities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.tree.structure import Tree

AMPLITUDE = 1024
"""An activation is an integer in [-AMPLITUDE, AMPLITUDE]; it stands for activation / AMPLITUDE."""

LARGEST_WEIGHT = 2047
"""Quantised weights and biases have at most 11 significant bits, so that TF32 holds them exactly."""

EXACT_SUM = 2**24
"""Float32 holds every integer up to here, so sums below it are exact in any order of summation."""

LARGEST_SCALE = 64.0
"""Largest factor from a sum to table units; keeps the phase within 31 bits."""


@dataclass(frozen=True, eq=False)
class Layer:
    """The integers of one weight tensor.

    Parameters
    ----------
    weights
        Shape ``(nodes, rows, columns)``, int32, within ±`LARGEST_WEIGHT`.
    biases
        Shape ``(nodes, rows)``, int32, within ±`LARGEST_WEIGHT`.
    multiplier
        A bias counts for ``multiplier * bias`` in the sum.
    scale
        From the sum to units of 1/4096 turn (a float32 value), or to intensity for the linear layer (float64).
    """

    weights: NDArray[np.int32]
    biases: NDArray[np.int32]
    multiplier: int
    scale: float

    @property
    def largest_sum(self) -> int:
        """Bound on the magnitude of every partial sum, whatever the activations."""
        sums = np.abs(self.weights).sum(axis=2, dtype=np.int64) * AMPLITUDE
        return int((sums + np.abs(self.biases).astype(np.int64) * self.multiplier).max(initial=0))


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted chunk.

    Parameters
    ----------
    tree
        The tree; its partition's shape is the chunk's, folded (see `tinc_codec.tree.partition.fold`).
    layers
        One for each of ``tree.tensors``.
    dtype
        Native dtype of the samples.
    offset, low, high
        Scalars of `dtype`: what is added to the output, and the range that it is clipped to.
    constants
        Values of the leaves without a network, in the order of their numbers; dtype `dtype`.
    """

    tree: Tree
    layers: tuple[Layer, ...]
    dtype: np.dtype[np.generic]
    offset: Any
    low: Any
    high: Any
    constants: NDArray[Any]

    def check(self) -> None:
        """Raise `CorruptStreamError` unless integer evaluation is exact and every part fits the tree."""
        if len(self.layers) != len(self.tree.tensors):
            raise CorruptStreamError(f"{len(self.layers)} weight tensors for {len(self.tree.tensors)} in the tree")
        for number, (tensor, layer) in enumerate(zip(self.tree.tensors, self.layers, strict=True)):
            if layer.weights.shape != (tensor.nodes, tensor.rows, tensor.columns):
                raise CorruptStreamError(f"weight tensor {number} has shape {layer.weights.shape}")
            if layer.largest_sum >= EXACT_SUM:
                raise CorruptStreamError(f"sums of tensor {number} reach {layer.largest_sum}, beyond exact float32")
            finite = np.isfinite(layer.scale) and layer.scale > 0
            if not finite or (not tensor.linear and layer.scale > LARGEST_SCALE):
                raise CorruptStreamError(f"tensor {number} has scale {layer.scale}")
        if not self.low <= self.offset <= self.high:  # also when one is NaN
            raise CorruptStreamError(f"offset {self.offset} is not in the range {self.low} to {self.high}")
