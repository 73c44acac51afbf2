"""Trees of sine layers on a CPU, by a backend that compiles, with gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor as Array

from tinc_codec.backends.protocol import TrainingWork
from tinc_codec.backends.torch.chained import ChainedTree, Children
from tinc_codec.tree.chains import Chain, Slot
from tinc_codec.tree.structure import Tree


@dataclass(frozen=True, eq=False)
class _Launch:
    """A chain, and who evaluates it."""

    by: TrainingWork
    chain: Chain
    places: Array
    children: Children

    @classmethod
    def of(cls, by: TrainingWork, chain: Chain, source: Slot) -> _Launch:
        return cls(by, chain, torch.as_tensor(chain.places), Children(chain, source, torch.device("cpu")))

    def forward(self, slots: list[Array], theta: Array) -> None:
        """See `Launch`."""
        chain = self.chain
        self.by.forward(chain, theta.numpy(), slots[chain.source].numpy(), slots[chain.target].numpy())

    def backward(self, slots: list[Array], theta: Array, dy: Array, gradient: Array) -> Array | None:
        """See `Launch`."""
        chain, x = self.chain, slots[self.chain.source]
        dx = x.new_empty((chain.nodes, *x.shape[1:])) if chain.source else None
        given = None if dx is None else dx.numpy()
        own = self.by.backward(chain, theta.numpy(), x.numpy(), dy.numpy(), given)
        gradient.index_copy_(1, self.places, torch.from_numpy(own))
        return None if dx is None else self.children.summed(dx)


def compiled_tree(tree: Tree, by: TrainingWork) -> ChainedTree:
    """Evaluates a tree that the backend does not refuse."""
    return ChainedTree(tree, lambda chain, source: _Launch.of(by, chain, source))
