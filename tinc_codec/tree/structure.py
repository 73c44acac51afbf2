"""The tree of small networks: which node owns which layers, and how a leaf's function is composed.

A node owns sine layers; its input is its parent's output, so a leaf's function is the composition of the layers on
its path from the root (TINC, CVPR 2023, "hierarchical parameter sharing"). Nodes of a level that have the same width
form a class; the weights of one class whose parents share a class too form one batched tensor.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.lazy import lazy
from tinc_codec.tree.partition import Partition

NO_NETWORK = 0
"""The class of a node below which every block is constant: it owns no parameters."""


@dataclass(frozen=True, eq=False)
class Level:
    """One level of the tree.

    Parameters
    ----------
    layers
        Number of sine layers of each node, at least 1.
    widths
        Width of class 1, 2, ...
    classes
        Class of every node of the level, `NO_NETWORK` or 1 .. ``len(widths)``, dtype uint8.
    """

    layers: int
    widths: tuple[int, ...]
    classes: NDArray[np.uint8]


@dataclass(frozen=True)
class Tensor:
    """One batched weight tensor, shape ``(nodes, rows, columns)``, with biases ``(nodes, rows)``."""

    level: int
    nodes: int
    rows: int
    columns: int
    linear: bool

    @property
    def weights(self) -> int:
        """Number of weights, biases excluded."""
        return self.nodes * self.rows * self.columns

    @property
    def biases(self) -> int:
        """Number of biases."""
        return self.nodes * self.rows


def paired(columns: int) -> int:
    """Columns that a row of weights takes in memory: an even number, so that they are pairs."""
    return columns + columns % 2


@dataclass(frozen=True, eq=False)
class Source:
    """Nodes of one class whose parents are all of class `parent`."""

    parent: int
    tensor: int
    nodes: NDArray[np.int64]  # their numbers, in the tensor's order
    positions: NDArray[np.int64] | None  # among the parents' class; None: each parent, in order


@dataclass(frozen=True, eq=False)
class ClassPlan:
    """The tensors of one class of a level's nodes."""

    klass: int
    sources: tuple[Source, ...]
    nodes: NDArray[np.int64]  # those of all sources, in the further tensors' order
    tensors: tuple[int, ...]  # the further layers, the output layer among them


@dataclass(frozen=True, eq=False)
class Tree:
    """A partition with the layers that every node owns."""

    partition: Partition
    levels: tuple[Level, ...]

    @lazy
    def _plan(self) -> tuple[tuple[Tensor, ...], tuple[tuple[ClassPlan, ...], ...], NDArray[np.int64]]:
        return _plan(self)

    @property
    def plan(self) -> tuple[tuple[ClassPlan, ...], ...]:
        """The classes that have nodes, level by level."""
        return self._plan[1]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every weight tensor in the order in which it is stored."""
        return self._plan[0]

    @property
    def leaves(self) -> NDArray[np.int64]:
        """The leaves that have a network, in the order in which `evaluate` returns them."""
        return self._plan[2]

    @property
    def parameters(self) -> int:
        """Number of parameters of all networks, biases included."""
        return sum(t.weights + t.biases for t in self.tensors)

    @property
    def nbytes(self) -> int:
        """Memory in bytes, with the plan that is made at the first use: three numbers for a node, about."""
        return self.partition.nbytes + sum(2048 + 25 * level.classes.nbytes for level in self.levels)

    @property
    def products(self) -> int:
        """Multiply-adds of all samples: every tensor is evaluated once at each of the leaves' local coordinates."""
        return sum(t.weights for t in self.tensors) * math.prod(self.partition.leaf_shape)

    @lazy
    def weights_begin(self) -> NDArray[np.int64]:
        """Where each tensor's weights begin in `tinc_codec.tree.model.Parameters`, and where the last ones end."""
        return np.cumsum([0, *(t.biases * paired(t.columns) for t in self.tensors)], dtype=np.int64)

    @lazy
    def biases_begin(self) -> NDArray[np.int64]:
        """Where each tensor's biases begin there, and where the last ones end."""
        return np.cumsum([0, *(t.biases for t in self.tensors)], dtype=np.int64)

    def evaluate(
        self,
        coordinates: Any,
        layer: Callable[[int, Any], Any],
        concatenate: Callable[[list[Any]], Any],
        take: Callable[[Any, Any], Any] = operator.getitem,
    ) -> Any:
        """Evaluate every leaf at the same local coordinates.

        Parameters
        ----------
        coordinates
            Array of shape ``(1, axes, points)``.
        layer
            ``layer(i, x)`` applies tensor `i`, and its sine unless it is linear, to `x` of shape
            ``(parents, columns, points)``; the answer has shape ``(nodes, rows, points)``. There may be several nodes
            for each parent, which are then neighbours.
        concatenate
            Joins arrays along their first axis.
        take
            ``take(x, positions)`` gives what `x` has at these numbers of its first axis, an array of a `Source`.

        Returns
        -------
        array
            Shape ``(leaves, 1, points)``.
        """
        outputs = {1: coordinates}
        for level in self.plan:
            inner = {}
            for plan in level:
                parts = []
                for source in plan.sources:
                    x = outputs[source.parent]
                    parts.append(layer(source.tensor, x if source.positions is None else take(x, source.positions)))
                x = parts[0] if len(parts) == 1 else concatenate(parts)
                for tensor in plan.tensors:
                    x = layer(tensor, x)
                inner[plan.klass] = x
            outputs = inner
        return concatenate(list(outputs.values())) if len(outputs) != 1 else next(iter(outputs.values()))


def _positions(chosen: NDArray[np.int64], fanout: int, parents: int) -> NDArray[np.int64] | None:
    """The parents of children that are chosen; None: each parent has as many of them."""
    if len(chosen) == parents * fanout:
        return None
    positions = chosen // fanout
    if len(chosen) % parents == 0 and (np.bincount(positions, minlength=parents) == len(chosen) // parents).all():
        return None
    return positions


def _plan(tree: Tree) -> tuple[tuple[Tensor, ...], tuple[tuple[ClassPlan, ...], ...], NDArray[np.int64]]:
    tensors: list[Tensor] = []
    levels: list[tuple[ClassPlan, ...]] = []
    members = {1: np.zeros(1, np.int64)}  # class -> node numbers one level up, in evaluation order
    widths = {1: len(tree.partition.shape)}
    for number, level in enumerate(tree.levels):
        fanout = tree.partition.fanout(number)
        last = number == len(tree.levels) - 1
        plans: list[ClassPlan] = []
        joined: dict[int, NDArray[np.int64]] = {}
        below = {  # of each parents' class the children, parent by parent, and their classes
            parent: (children := (above[:, None] * fanout + np.arange(fanout)).ravel(), level.classes[children])
            for parent, above in members.items()
        }
        for klass, width in enumerate(level.widths, 1):
            sources: list[Source] = []
            nodes: list[NDArray[np.int64]] = []
            for parent, (children, classes) in below.items():
                chosen = (classes == klass).nonzero()[0]
                if not len(chosen):
                    continue
                nodes.append(children[chosen])
                positions = _positions(chosen, fanout, len(children) // fanout)
                sources.append(Source(parent, len(tensors), nodes[-1], positions))
                tensors.append(Tensor(number, len(chosen), width, widths[parent], False))
            if not sources:
                continue
            joined[klass] = np.concatenate(nodes)
            further: list[int] = []
            for _ in range(level.layers - 1):
                further.append(len(tensors))
                tensors.append(Tensor(number, len(joined[klass]), width, width, False))
            if last:
                further.append(len(tensors))
                tensors.append(Tensor(number, len(joined[klass]), 1, width, True))
            plans.append(ClassPlan(klass, tuple(sources), joined[klass], tuple(further)))
        levels.append(tuple(plans))
        members = joined
        widths = {klass: level.widths[klass - 1] for klass in joined}
    leaves = np.concatenate([*members.values(), np.zeros(0, np.int64)])
    return tuple(tensors), tuple(levels), leaves
