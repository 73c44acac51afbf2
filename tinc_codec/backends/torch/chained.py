"""Trees of sine layers chain by chain, with gradients: what `tinc_codec.encoding.fit.network.LayeredTree` gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.tree.chains import Chain, Slot, chains
from tinc_codec.tree.structure import Tree


class Launch(Protocol):
    """Evaluates a chain."""

    @property
    def chain(self) -> Chain:
        """The chain."""

    def forward(self, slots: list[Array], theta: Array) -> None:
        """Fill the chain's part of its target slot."""

    def backward(self, slots: list[Array], theta: Array, dy: Array, gradient: Array) -> Array | None:
        """Write the gradients of the chain's parameters; return those of its source slot, None for coordinates."""


class Children:
    """The nodes of a chain as children of its source's nodes.

    Parameters
    ----------
    chain, source
        The chain, and the slot that it reads.
    device
        Where gradients lie.
    """

    def __init__(self, chain: Chain, source: Slot, device: torch.device) -> None:
        counts = np.bincount(chain.parents, minlength=source.nodes)
        same = bool((counts == counts[0]).all())
        self._counts = int(counts[0]) if same else torch.as_tensor(counts, device=device)

    def summed(self, dx: Array) -> Array:
        """Sums over the children of each parent, of gradients ``(nodes, chunks, columns, points)``."""
        if isinstance(self._counts, int):
            return dx.view(-1, self._counts, *dx.shape[1:]).sum(1)
        # unsafe: the host does not look at the lengths, which would wait for the device
        return torch.segment_reduce(dx, "sum", lengths=self._counts, axis=0, initial=0, unsafe=True)


class ChainedTree:
    """Evaluates a tree on a device; as `tinc_codec.encoding.fit.network.LayeredTree`.

    Parameters
    ----------
    tree
        A tree that has a leaf.
    launch
        Makes what evaluates a chain, given the slot that it reads.
    """

    def __init__(self, tree: Tree, launch: Callable[[Chain, Slot], Launch]) -> None:
        cut = chains(tree)
        self.slots = cut.slots
        self.launches = [launch(chain, cut.slots[chain.source]) for chain in cut.chains]

    def __call__(self, theta: Array, coordinates: Array) -> Array:
        """Outputs ``(chunks, leaves, points)`` of weights ``(chunks, parameters)`` at ``(chunks, axes, points)``."""
        outputs: Array = _Evaluate.apply(theta, coordinates, self)  # type: ignore[no-untyped-call]
        return outputs


class _Evaluate(torch.autograd.Function):
    """All chains, and their gradients."""

    @staticmethod
    def forward(ctx: Any, theta: Array, coordinates: Array, tree: ChainedTree) -> Array:
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
