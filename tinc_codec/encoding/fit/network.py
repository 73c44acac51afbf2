"""The tree of networks in torch: weights in, intensities out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.tree.structure import Tree

FIRST_OMEGA = 14.0
"""Frequency of the root's first layer (SIREN's w0), in radians per unit of coordinate and fan-in."""

FIRST_BITS = 5.5


@dataclass(frozen=True, eq=False)
class Index:
    """Where the parts of the flat parameter vectors of chunks lie whose trees are alike.

    Weights and biases of all tensors of a chunk lie in one vector, tensor by tensor, weights before biases, so that
    quantisation, rate and optimiser are a few operations on one array. Parameters of a kind have a quantisation step
    and a table of their own: two kinds a tensor, its weights and its biases.
    """

    slices: tuple[tuple[slice, slice], ...]
    kinds: Array  # (chunks * parameters,) the kind of each parameter of each chunk, among those of all chunks
    counts: Array  # (chunks, kinds) parameters of each kind

    def spread(self, values: Array) -> Array:
        """Of values ``(chunks, kinds)`` those of each parameter, ``(chunks, parameters)``."""
        return values.flatten()[self.kinds].view(len(self.counts), -1)

    def sums(self, values: Array) -> Array:
        """Sums ``(chunks, kinds)`` of values ``(chunks, parameters)``."""
        zeros = torch.zeros_like(self.counts)
        return zeros.flatten().index_add(0, self.kinds, values.flatten()).view(zeros.shape)


def index(tree: Tree, device: torch.device, chunks: int = 1) -> Index:
    """Lay out the flat parameter vectors of chunks with the tree `tree`."""
    slices: list[tuple[slice, slice]] = []
    kinds: list[NDArray[np.int64]] = []
    start = 0
    for number, t in enumerate(tree.tensors):
        middle, end = start + t.weights, start + t.weights + t.biases
        slices.append((slice(start, middle), slice(middle, end)))
        start = end
        kinds += [np.full(t.weights, 2 * number), np.full(t.biases, 2 * number + 1)]
    joined, count = np.concatenate(kinds), 2 * len(tree.tensors)
    counts = torch.as_tensor(np.bincount(joined), device=device, dtype=torch.float32).repeat(chunks, 1)
    of_all = (np.arange(chunks)[:, None] * count + joined).ravel()
    return Index(tuple(slices), torch.as_tensor(of_all, device=device), counts)


def initial(tree: Tree, leaf_means: Array, generator: torch.Generator) -> Array:
    """Draw the initial weights by SIREN's rules, in units of phase; the output biases are the blocks' means."""

    def uniform(count: int) -> Array:
        return torch.rand(count, generator=generator, device=generator.device, dtype=torch.float32)

    parts: list[Array] = []
    start = 0
    for t in tree.tensors:
        bound = FIRST_OMEGA / t.columns if not parts else math.sqrt(6 / t.columns)
        if t.linear:
            bound = math.sqrt(6 / t.columns) / FIRST_OMEGA
        parts.append((uniform(t.weights) * 2 - 1) * bound)
        if t.linear:
            parts.append(leaf_means[start : start + t.biases])
            start += t.biases
        else:
            parts.append((uniform(t.biases) * 2 - 1) * math.pi / math.sqrt(t.columns))
    return torch.cat(parts)


class LayeredTree:
    """Evaluates every leaf of chunks whose trees are alike, layer by layer: the reference of what is fused.

    Parameters
    ----------
    tree
        The tree of all of them; it has a leaf.
    parts
        Where its parameters lie.
    """

    def __init__(self, tree: Tree, parts: Index) -> None:
        self._tree, self._parts = tree, parts
        sources = [source for level in tree.plan for plan in level for source in plan.sources]
        self._positions = {  # on the device once: a graph cannot copy from the host
            id(source.positions): torch.as_tensor(source.positions, device=parts.kinds.device)
            for source in sources
            if source.positions is not None
        }

    def __call__(self, theta: Array, coordinates: Array) -> Array:
        """Outputs ``(chunks, leaves, points)`` of weights ``(chunks, parameters)`` at ``(chunks, axes, points)``."""
        chunks = len(theta)

        def layer(number: int, x: Array) -> Array:  # x is (nodes, chunks, columns, points)
            t, parents = self._tree.tensors[number], len(x)
            weights, biases = (_matrices(theta[:, part], parents) for part in self._parts.slices[number])
            w, b = weights.view(parents * chunks, -1, t.columns), biases.view(parents * chunks, -1, 1)
            y = torch.baddbmm(b, w, x.reshape(parents * chunks, t.columns, -1))
            if chunks > 1 and t.nodes > parents:  # a chunk's children lie side by side
                y = y.view(parents, chunks, -1, t.rows, x.shape[-1]).transpose(1, 2).contiguous()
            y = y.view(t.nodes, chunks, t.rows, x.shape[-1])
            return y if t.linear else torch.sin(y)

        def take(x: Array, positions: NDArray[np.int64]) -> Array:
            return x[self._positions[id(positions)]]

        outputs: Array = self._tree.evaluate(coordinates[None], layer, torch.cat, take)
        return outputs[:, :, 0].transpose(0, 1)


def _matrices(values: Array, parents: int) -> Array:
    """Parameters ``(chunks, parents * ...)`` of a tensor as ``(parents, chunks, ...)``, contiguous."""
    if len(values) == 1 or parents == 1:
        return values
    return values.view(len(values), parents, -1).transpose(0, 1).contiguous()


def initial_steps(parts: Index, theta: Array) -> Array:
    """Logarithms ``(chunks, kinds)`` of the first quantisation steps: `FIRST_BITS` bits over each tensor's range."""
    largest = torch.stack([theta[:, part].abs().amax(1) for pair in parts.slices for part in pair], 1)
    return torch.log(2 * largest.clamp(min=1e-6)) - FIRST_BITS * math.log(2)
