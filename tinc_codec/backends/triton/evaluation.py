"""Trees of sine layers by kernels, with gradients: what `tinc_codec.encoding.fit.network.LayeredTree` gives, fused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.backends.triton import sine
from tinc_codec.backends.triton.chains import Chain, Slot, chains
from tinc_codec.backends.triton.tiles import constants
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
        Of each of the source's nodes, how many of the chain's nodes it is the parent of; one number: all as many.
    """

    chain: Chain
    offsets: Array
    parents: Array
    places: Array
    children: Array | int

    @classmethod
    def of(cls, chain: Chain, source: Slot, device: torch.device) -> _Launch:
        offsets, parents, places = (
            torch.as_tensor(x, device=device) for x in (chain.offsets, chain.parents, chain.places)
        )
        counts = np.bincount(chain.parents, minlength=source.nodes)
        same = bool((counts == counts[0]).all())
        return cls(chain, offsets, parents, places, int(counts[0]) if same else torch.as_tensor(counts, device=device))

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
        return self._of_parents(dx) if inputs else None

    def _of_parents(self, dx: Array) -> Array:
        """Sums over the children of each parent."""
        if isinstance(self.children, int):
            return dx.view(-1, self.children, *dx.shape[1:]).sum(1)
        # unsafe: the host does not look at the lengths, which would wait for the device
        return torch.segment_reduce(dx, "sum", lengths=self.children, axis=0, initial=0, unsafe=True)


class FusedTree:
    """Evaluates a tree on a device; as `tinc_codec.encoding.fit.network.LayeredTree`.

    Parameters
    ----------
    tree
        A tree that `tinc_codec.backends.triton.chains.refusal` has nothing against.
    """

    def __init__(self, tree: Tree, device: torch.device) -> None:
        cut = chains(tree)
        self.slots = cut.slots
        self.launches = [_Launch.of(chain, cut.slots[chain.source], device) for chain in cut.chains]

    def __call__(self, theta: Array, coordinates: Array) -> Array:
        """Outputs ``(chunks, leaves, points)`` of weights ``(chunks, parameters)`` at ``(chunks, axes, points)``."""
        outputs: Array = _Evaluate.apply(theta, coordinates, self)  # type: ignore[no-untyped-call]
        return outputs


class _Evaluate(torch.autograd.Function):
    """All chains, and their gradients."""

    @staticmethod
    def forward(ctx: Any, theta: Array, coordinates: Array, tree: FusedTree) -> Array:
        theta, x = theta.contiguous(), coordinates.contiguous()
        chunks, points = len(theta), x.shape[-1]
        further = tree.slots[1:]
        slots = [x[None], *(x.new_empty((slot.nodes, chunks, slot.width, points)) for slot in further)]
        for launch in tree.launches:
            launch.forward(slots, theta)
        ctx.tree = tree
        ctx.save_for_backward(theta, *slots[:-1])
        return slots[-1][:, :, 0].transpose(0, 1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *outputs: Array) -> tuple[Array, None, None]:
        theta, *slots = ctx.saved_tensors
        gradient = torch.empty_like(theta)
        last = outputs[0].transpose(0, 1)[:, :, None].contiguous()
        gradients: dict[int, Array] = {len(slots): last}
        for launch in reversed(ctx.tree.launches):
            source, target = launch.chain.source, gradients[launch.chain.target]
            given = launch.backward(slots, theta, target, gradient)
            if given is not None:
                gradients[source] = gradients[source] + given if source in gradients else given
        return gradient, None, None
