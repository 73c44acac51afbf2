"""The tree of networks in torch: quantised weights in, intensities out."""

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
    """Where the parts of the flat parameter vector lie.

    Weights and biases of all tensors lie in one vector, tensor by tensor, weights before biases, so that quantisation,
    rate and optimiser are a few operations on one array.
    """

    slices: tuple[tuple[slice, slice], ...]
    kinds: Array  # (parameters,) whose quantisation step and table each uses: 2 * tensor, + 1 for biases
    counts: Array  # (kinds,) parameters of each kind


def index(tree: Tree, device: torch.device) -> Index:
    """Lay out the flat parameter vector of `tree`."""
    slices: list[tuple[slice, slice]] = []
    kinds: list[NDArray[np.int64]] = []
    start = 0
    for number, t in enumerate(tree.tensors):
        middle, end = start + t.weights, start + t.weights + t.biases
        slices.append((slice(start, middle), slice(middle, end)))
        start = end
        kinds += [np.full(t.weights, 2 * number), np.full(t.biases, 2 * number + 1)]
    joined = np.concatenate(kinds)
    counts = torch.as_tensor(np.bincount(joined), device=device, dtype=torch.float32)
    return Index(tuple(slices), torch.as_tensor(joined, device=device), counts)


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


def evaluate(tree: Tree, parts: Index, theta: Array, coordinates: Array) -> Array:
    """Evaluate every leaf of chunks whose trees are alike, layer by layer.

    Parameters
    ----------
    theta
        Weights, ``(chunks, parameters)``.
    coordinates
        ``(chunks, axes, points)``.

    Returns
    -------
    Tensor
        ``(chunks, leaves, points)``.
    """
    chunks = len(theta)

    def layer(number: int, x: Array) -> Array:
        t = tree.tensors[number]
        weights, biases = parts.slices[number]
        above = len(x)  # x is (nodes, chunks, columns, points)
        w = theta[:, weights].view(chunks, above, -1, t.columns).transpose(0, 1).reshape(above * chunks, -1, t.columns)
        b = theta[:, biases].view(chunks, above, -1, 1).transpose(0, 1).reshape(above * chunks, -1, 1)
        y = torch.baddbmm(b, w, x.reshape(above * chunks, t.columns, -1))
        y = y.view(above, chunks, -1, t.rows, x.shape[-1]).transpose(1, 2).reshape(t.nodes, chunks, t.rows, -1)
        return y if t.linear else torch.sin(y)

    outputs: Array = tree.evaluate(coordinates[None], layer, torch.cat)
    return outputs[:, :, 0].transpose(0, 1)


def initial_steps(parts: Index, theta: Array) -> Array:
    """Logarithms of the first quantisation steps: `FIRST_BITS` bits over each tensor's range."""
    largest = torch.stack([theta[part].abs().max() for pair in parts.slices for part in pair])
    return torch.log(2 * largest.clamp(min=1e-6)) - FIRST_BITS * math.log(2)
