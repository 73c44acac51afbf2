"""Trees of sine layers by kernels, with gradients: what `tinc_codec.encoding.fit.network.LayeredTree` gives, fused."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor as Array

from tinc_codec.backends.torch.chained import ChainedTree, Children
from tinc_codec.backends.triton import sine
from tinc_codec.backends.triton.tiles import constants
from tinc_codec.tree.chains import Chain, Slot
from tinc_codec.tree.structure import Tree

_PROGRAMS = 256
"""Programs that walk over one chunk's points backwards; it is not the device's number of processors, since a chunk's
gradients are to be the same beside any others."""


@dataclass(frozen=True, eq=False)
class _Launch:
    """A chain on a device.

    Parameters
    ----------
    offsets, parents, places
        As in `Chain`, on the device.
    children
        The chain's nodes.
    """

    chain: Chain
    offsets: Array
    parents: Array
    places: Array
    children: Children

    @classmethod
    def of(cls, chain: Chain, source: Slot, device: torch.device) -> _Launch:
        offsets, parents, places = (
            torch.as_tensor(x, device=device) for x in (chain.offsets, chain.parents, chain.places)
        )
        return cls(chain, offsets, parents, places, Children(chain, source, device))

    def forward(self, slots: list[Array], theta: Array) -> None:
        """Fill the chain's part of its target slot."""
        chain, x, y = self.chain, slots[self.chain.source], slots[self.chain.target]
        chunks, points = len(theta), x.shape[-1]
        shape = constants(chain, sine.PRECISION)
        grid = (-(-points // shape["TILE"]), chain.nodes, chunks)
        sizes = (chain.first, points, chain.columns, chain.width, theta.shape[1])
        sine.forward[grid](x, theta, y, self.offsets, self.parents, *sizes, **shape)

    def backward(self, slots: list[Array], theta: Array, dy: Array, gradient: Array) -> Array | None:
        """Write the gradients of the chain's parameters; return those of its source slot, None for coordinates."""
        chain, x = self.chain, slots[self.chain.source]
        chunks, points, own, nodes = len(theta), x.shape[-1], len(self.places), chain.nodes
        shape = constants(chain, sine.PRECISION)
        parts = min(-(-points // shape["TILE"]), max(1, _PROGRAMS // nodes))
        sums = torch.zeros((parts, chunks, own), device=x.device)
        inputs = chain.source > 0
        dx = torch.empty((nodes, chunks, chain.columns, points) if inputs else 0, device=x.device)
        sizes = (chain.first, points, chain.columns, chain.width, theta.shape[1], own)
        grid = (parts, nodes, chunks)
        sine.backward[grid](x, theta, dy, dx, sums, self.offsets, self.parents, *sizes, INPUTS=inputs, **shape)
        gradient.index_copy_(1, self.places, sums.sum(0))
        return self.children.summed(dx) if inputs else None


def fused_tree(tree: Tree, device: torch.device) -> ChainedTree:
    """Evaluates a tree that `tinc_codec.backends.triton.limits.refusal` has nothing against on a device."""
    return ChainedTree(tree, lambda chain, source: _Launch.of(chain, source, device))
