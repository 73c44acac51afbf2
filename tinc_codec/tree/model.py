"""What a fitted chunk is: a tree with integer weights, and how its output becomes intensities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.tree.structure import Tree, paired

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
        Shape ``(nodes, rows, columns)``, integers within ±`LARGEST_WEIGHT`.
    biases
        Shape ``(nodes, rows)``, integers within ±`LARGEST_WEIGHT`.
    multiplier
        A bias counts for ``multiplier * bias`` in the sum.
    scale
        From the sum to units of 1/4096 turn (a float32 value), or to intensity for the linear layer (float64).
    """

    weights: NDArray[np.integer[Any]]
    biases: NDArray[np.integer[Any]]
    multiplier: int
    scale: float

    @property
    def largest_sum(self) -> int:
        """Bound on the magnitude of every partial sum, whatever the activations."""
        sums = np.abs(self.weights).sum(axis=2, dtype=np.int64) * AMPLITUDE
        return int((sums + np.abs(self.biases).astype(np.int64) * self.multiplier).max(initial=0))


@dataclass(frozen=True, eq=False)
class Parameters:
    """The integers of all weight tensors, one after the other, as decoders read them.

    Parameters
    ----------
    weights
        int16; row by row, each of an even number of columns: an odd number is followed by a 0.
    biases
        int32.
    multipliers
        For each tensor, see `Layer`; int64.
    scales
        For each tensor, see `Layer`; float64.
    """

    weights: NDArray[np.int16]
    biases: NDArray[np.int32]
    multipliers: NDArray[np.int64]
    scales: NDArray[np.float64]

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> Parameters:
        """Join the layers of a model."""
        weights, biases = [np.zeros(0, np.int16)], [np.zeros(0, np.int32)]
        for layer in layers:
            nodes, rows, columns = layer.weights.shape
            even = np.zeros((nodes, rows, paired(columns)), np.int16)
            even[:, :, :columns] = layer.weights
            weights.append(even.ravel())
            biases.append(layer.biases.ravel().astype(np.int32))
        return cls(
            np.concatenate(weights),
            np.concatenate(biases),
            np.array([layer.multiplier for layer in layers], np.int64),
            np.array([layer.scale for layer in layers], np.float64),
        )

    def split(self, tree: Tree) -> tuple[Layer, ...]:
        """The layers, one for each of ``tree.tensors``; their arrays are views."""
        layers = []
        weights, biases = tree.weights_begin.tolist(), tree.biases_begin.tolist()
        for number, tensor in enumerate(tree.tensors):
            w = self.weights[weights[number] : weights[number + 1]].reshape(tensor.nodes, tensor.rows, -1)
            b = self.biases[biases[number] : biases[number + 1]].reshape(tensor.nodes, tensor.rows)
            layers.append(
                Layer(w[:, :, : tensor.columns], b, int(self.multipliers[number]), float(self.scales[number]))
            )
        return tuple(layers)

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.weights.nbytes + self.biases.nbytes + self.multipliers.nbytes + self.scales.nbytes


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted chunk.

    Parameters
    ----------
    tree
        The tree; its partition's shape is the chunk's, folded (see `tinc_codec.tree.partition.fold`).
    parameters
        Of ``tree.tensors``.
    dtype
        Native dtype of the samples.
    offset, low, high
        Scalars of `dtype`: what is added to the output, and the range that it is clipped to.
    constants
        Values of the leaves without a network, in the order of their numbers; dtype `dtype`.
    """

    tree: Tree
    parameters: Parameters
    dtype: np.dtype[np.generic]
    offset: Any
    low: Any
    high: Any
    constants: NDArray[Any]

    @lazy
    def layers(self) -> tuple[Layer, ...]:
        """One for each of ``tree.tensors``."""
        return self.parameters.split(self.tree)

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.parameters.nbytes + self.tree.nbytes + self.constants.nbytes

    def check(self) -> None:
        """Raise `CorruptStreamError` unless integer evaluation is exact, and scales and range make sense."""
        for number, (tensor, layer) in enumerate(zip(self.tree.tensors, self.layers, strict=True)):
            largest, scale = layer.largest_sum, layer.scale
            if largest >= EXACT_SUM:
                raise CorruptStreamError(f"sums of tensor {number} reach {largest}, beyond exact float32")
            finite = math.isfinite(scale) and scale > 0
            if not finite or (not tensor.linear and scale > LARGEST_SCALE):
                raise CorruptStreamError(f"tensor {number} has scale {scale}")
        self.check_range()

    def check_range(self) -> None:
        """Raise `CorruptStreamError` unless the range makes sense."""
        if not self.low <= self.offset <= self.high:  # also when one is NaN
            raise CorruptStreamError(f"offset {self.offset} is not in the range {self.low} to {self.high}")
