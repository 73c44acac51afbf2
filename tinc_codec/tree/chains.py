"""A tree as chains: what one kernel evaluates at a time, and what it leaves in memory for the next.

A chain is all layers of some nodes, one after the other, with nothing but a node's own values between them: they stay
on chip, or in a processor's nearest cache. Nodes of a level are cut off from their parents, whose outputs several of
them share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.structure import ClassPlan, Tree


@dataclass(frozen=True)
class Slot:
    """Values of a class of nodes that lie in memory: ``(nodes, chunks, width, points)``."""

    nodes: int
    width: int


@dataclass(frozen=True, eq=False)
class Chain:
    """All layers of nodes of one level whose parents are of one class.

    Parameters
    ----------
    source, target
        Slots that are read and written.
    first
        Where the nodes begin in the target.
    parents
        Of each node, in the source, ascending; int32.
    columns, width
        Of the first layer, and of every layer but a linear one.
    layers
        Number of sine layers.
    linear
        Whether a linear layer of one row follows.
    offsets
        Of each layer where its first node's weights and biases begin in the vector of all parameters, then where they
        begin among the chain's own; int64, ``(layers, 4)``.
    places
        Of the chain's own parameters where they are in the vector of all; int64.
    tensors
        Number of each layer's tensor in the tree.
    """

    source: int
    target: int
    first: int
    parents: NDArray[np.int32]
    columns: int
    width: int
    layers: int
    linear: bool
    offsets: NDArray[np.int64]
    places: NDArray[np.int64]
    tensors: tuple[int, ...]

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.parents)


@dataclass(frozen=True, eq=False)
class Chains:
    """A tree's chains in the order of evaluation.

    Parameters
    ----------
    slots
        First the coordinates, last the leaves.
    """

    slots: tuple[Slot, ...]
    chains: tuple[Chain, ...]


def refusal(tree: Tree, widest: int) -> str | None:
    """Why chains whose layers have at most so many rows and columns are not the tree; None: they are."""
    if not len(tree.leaves):
        return "it has no networks"
    wide = max(max(t.rows, t.columns) for t in tree.tensors)
    return f"a layer of {wide} is wider than {widest}" if wide > widest else None


def chains(tree: Tree) -> Chains:
    """Cut a tree that has a leaf into chains."""
    begins = np.cumsum([0, *(t.weights + t.biases for t in tree.tensors)], dtype=np.int64)
    slots, cut = [Slot(1, len(tree.partition.shape))], []
    above = {1: _Target(0, 0)}  # of each class of the parents
    for level in tree.plan:
        targets = _targets(level, len(slots), last=level is tree.plan[-1])
        for plan in level:
            slot, first = targets[plan.klass]
            inside = 0
            for source in plan.sources:
                nodes, read = len(source.nodes), above[source.parent].slot
                parents = _parents(source.positions, nodes, slots[read].nodes)
                layers = [(source.tensor, 0), *((tensor, inside) for tensor in plan.tensors)]
                opening, linear = tree.tensors[source.tensor], tree.tensors[layers[-1][0]].linear
                shape = (opening.columns, opening.rows, len(layers) - linear, linear)
                parameters = _parameters(tree, begins, nodes, layers)
                tensors = tuple(tensor for tensor, _ in layers)
                cut.append(Chain(read, slot, first + inside, parents, *shape, *parameters, tensors))
                inside += nodes
        slots += _slots(tree, level, last=level is tree.plan[-1])
        above = targets
    return Chains(tuple(slots), tuple(cut))


class _Target(NamedTuple):
    """Where the outputs of a class lie: their slot, and the first one's place in it."""

    slot: int
    first: int


def _targets(level: tuple[ClassPlan, ...], free: int, last: bool) -> dict[int, _Target]:
    """A slot for each class, from number `free` on; one for all where they are leaves."""
    if not last:
        return {plan.klass: _Target(free + number, 0) for number, plan in enumerate(level)}
    firsts = np.cumsum([0, *(len(plan.nodes) for plan in level)]).tolist()
    return {plan.klass: _Target(free, first) for plan, first in zip(level, firsts, strict=False)}


def _slots(tree: Tree, level: tuple[ClassPlan, ...], last: bool) -> list[Slot]:
    if last:
        return [Slot(sum(len(plan.nodes) for plan in level), 1)]
    return [Slot(len(plan.nodes), tree.tensors[plan.sources[0].tensor].rows) for plan in level]


def _parents(positions: NDArray[np.int64] | None, nodes: int, parents: int) -> NDArray[np.int32]:
    given = np.repeat(np.arange(parents), nodes // parents) if positions is None else positions
    return given.astype(np.int32)


def _parameters(
    tree: Tree, begins: NDArray[np.int64], nodes: int, layers: list[tuple[int, int]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets and places of a chain's parameters; given are each layer's tensor, and the chain's first node in it."""
    offsets: list[tuple[int, int, int, int]] = []
    places: list[NDArray[np.int64]] = []
    own = 0
    for number, first in layers:
        t, size = tree.tensors[number], tree.tensors[number].rows * tree.tensors[number].columns
        weights, biases = int(begins[number]) + first * size, int(begins[number]) + t.weights + first * t.rows
        offsets.append((weights, biases, own, own + nodes * size))
        places += [weights + np.arange(nodes * size), biases + np.arange(nodes * t.rows)]
        own += nodes * (size + t.rows)
    return np.array(offsets, np.int64), np.concatenate(places)
