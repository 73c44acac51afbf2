"""A model laid out node by node, so that single leaves can be evaluated along their paths from the root."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.model import Model


@dataclass(frozen=True, eq=False)
class Paths:
    """Where each node's layers lie in flat arrays of weights and biases.

    The layers of node `i` of level `l` are the rows ``first[l] + i * count[l]`` and the ``count[l] - 1`` after it of
    `layers` and `scales`; the last of a leaf is its linear layer.

    Parameters
    ----------
    model
        What is laid out.
    weights
        Of all tensors, int16, row by row; rows of an odd number of columns are followed by a 0, so that columns are
        pairs.
    biases
        Of all tensors, int32, times their multiplier.
    layers
        For each layer where its weights and its biases begin, its rows and its columns; int64, ``(layers, 4)``. Zeros
        for nodes without a network.
    scales
        For each layer its scale, float64, ``(layers,)``.
    first, count
        For each level, see above; int64, ``(levels,)``.
    below
        Number of leaves below each node of a level; int64, ``(levels,)``.
    network
        Which leaves have a network, bool, ``(leaves,)``.
    constants
        Value of each leaf that has none, ``(leaves,)``, dtype of the model.
    """

    model: Model
    weights: NDArray[np.int16]
    biases: NDArray[np.int32]
    layers: NDArray[np.int64]
    scales: NDArray[np.float64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    below: NDArray[np.int64]
    network: NDArray[np.bool_]
    constants: NDArray[Any]

    @cached_property
    def largest(self) -> int:
        """Largest number of rows or columns of any layer."""
        return max(int(self.layers[:, 2:].max(initial=1)), len(self.model.tree.partition.shape))

    @cached_property
    def products(self) -> NDArray[np.int64]:
        """Number of multiply-adds at one local coordinate, of all nodes of each level; ``(levels,)``."""
        cost = self.layers[:, 2] * self.layers[:, 3]
        return np.array([part.sum() for part in np.split(cost, self.first[1:])], np.int64)

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        arrays = (self.weights, self.biases, self.layers, self.scales, self.network, self.constants)
        integers = sum(layer.weights.nbytes + layer.biases.nbytes for layer in self.model.layers)
        return sum(array.nbytes for array in arrays) + integers


def lay_out(model: Model) -> Paths:
    """Lay a model out."""
    tree, partition = model.tree, model.tree.partition
    last = partition.levels - 1
    count = np.array([level.layers + (number == last) for number, level in enumerate(tree.levels)], np.int64)
    nodes = np.array([partition.nodes(level) for level in range(partition.levels)], np.int64)
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(nodes * count)])
    layers, scales = np.zeros((first[-1], 4), np.int64), np.zeros(first[-1])
    weights = [_paired(layer.weights) for layer in model.layers]
    weights_begin = np.cumsum([0, *(part.size for part in weights)])
    biases_begin = np.cumsum([0, *(tensor.biases for tensor in tree.tensors)])
    for level, plans in enumerate(tree.plan):
        for plan in plans:
            placed = [(source.tensor, source.nodes, 0) for source in plan.sources]
            placed += [(tensor, plan.nodes, number) for number, tensor in enumerate(plan.tensors, 1)]
            for number, members, layer in placed:
                tensor, order = tree.tensors[number], np.arange(len(members))
                rows = first[level] + members * count[level] + layer
                layers[rows, 0] = weights_begin[number] + order * (tensor.rows * paired(tensor.columns))
                layers[rows, 1] = biases_begin[number] + order * tensor.rows
                layers[rows, 2:] = tensor.rows, tensor.columns
                scales[rows] = model.layers[number].scale
    network = np.zeros(nodes[-1], bool)
    network[tree.leaves] = True
    constants = np.zeros(nodes[-1], model.dtype)
    constants[~network] = model.constants
    return Paths(
        model,
        _flat(weights, np.int16),
        _flat([layer.biases * np.int32(layer.multiplier) for layer in model.layers], np.int32),
        layers,
        scales,
        first[:-1],
        count,
        nodes[-1] // nodes,
        network,
        constants,
    )


def paired(columns: int) -> int:
    """Columns of a layer, and one more where they are odd."""
    return columns + columns % 2


def _paired(weights: NDArray[np.int32]) -> NDArray[np.int16]:
    nodes, rows, columns = weights.shape
    made = np.zeros((nodes, rows, paired(columns)), np.int16)
    made[:, :, :columns] = weights
    return made


def _flat(parts: list[NDArray[Any]], dtype: type[np.integer[Any]]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *(part.ravel() for part in parts)])
