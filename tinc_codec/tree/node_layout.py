"""A model laid out node by node, so that single leaves can be evaluated along their paths from the root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.model import Model
from tinc_codec.tree.structure import Tree, paired


@dataclass(frozen=True, eq=False)
class NodeLayout:
    """Where each node's layers lie in flat arrays of weights and biases.

    The layers of node `i` of level `l` are the rows ``first[l] + i * count[l]`` and the ``count[l] - 1`` after it of
    `layers` and `scales`; the last of a leaf is its linear layer.

    Parameters
    ----------
    model
        What is laid out.
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
    biases: NDArray[np.int32]
    layers: NDArray[np.int64]
    scales: NDArray[np.float64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    below: NDArray[np.int64]
    network: NDArray[np.bool_]
    constants: NDArray[Any]

    @property
    def weights(self) -> NDArray[np.int16]:
        """Of all tensors, as the model's parameters have them."""
        return self.model.parameters.weights

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        arrays = (self.biases, self.layers, self.scales, self.network, self.constants)
        return sum(array.nbytes for array in arrays) + self.model.nbytes


def lay_out(model: Model) -> NodeLayout:
    """Lay a model out."""
    tree, partition, parameters = model.tree, model.tree.partition, model.parameters
    last = partition.levels - 1
    count = np.array([level.layers + (number == last) for number, level in enumerate(tree.levels)], np.int64)
    nodes = np.array([partition.nodes(level) for level in range(partition.levels)], np.int64)
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(nodes * count)])
    layers, scales = np.zeros((first[-1], 4), np.int64), np.zeros(first[-1])
    members, layer = _members(tree)
    if members:
        size, rows, columns, level = np.array(
            [(t.rows * paired(t.columns), t.rows, t.columns, t.level) for t in tree.tensors], np.int64
        ).T
        # of all tensors' nodes, one after the other: the tensor, and the node's place in it
        held = np.array([len(nodes) for nodes in members])
        tensor = np.repeat(np.arange(len(members)), held)
        place = np.arange(len(tensor)) - (np.cumsum(held) - held)[tensor]
        row = (first[level] + layer)[tensor] + np.concatenate(members) * count[level][tensor]
        layers[row, 0] = tree.weights_begin[tensor] + place * size[tensor]
        layers[row, 1] = tree.biases_begin[tensor] + place * rows[tensor]
        layers[row, 2], layers[row, 3] = rows[tensor], columns[tensor]
        scales[row] = parameters.scales[tensor]
    network = np.zeros(nodes[-1], bool)
    network[tree.leaves] = True
    constants = np.zeros(nodes[-1], model.dtype)
    constants[~network] = model.constants
    return NodeLayout(
        model,
        parameters.biases * np.repeat(parameters.multipliers.astype(np.int32), np.diff(tree.biases_begin)),
        layers,
        scales,
        first[:-1],
        count,
        nodes[-1] // nodes,
        network,
        constants,
    )


def _members(tree: Tree) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Of each tensor its nodes, and which of their layers it is."""
    members: list[NDArray[np.int64]] = []
    layer: list[int] = []
    for plans in tree.plan:
        for plan in plans:
            members += [*(source.nodes for source in plan.sources), *[plan.nodes] * len(plan.tensors)]
            layer += [*[0] * len(plan.sources), *range(1, len(plan.tensors) + 1)]
    return members, layer
