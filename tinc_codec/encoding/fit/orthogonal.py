"""Steps of weight matrices along orthogonal directions, so that all of a layer's inputs are learnt at one pace.

A gradient's few large directions leave the others untrained for long. Made orthogonal, it moves all alike. With it, and
with a fifth layer, networks under coefficients gained at effort 5 1.2 to 2 times as many dB as with Adam alone on the
chunks where these pay, at effort 9 up to 1.4 times; those that fit samples gained 0.3 to 1.5 dB at equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor as Array

from tinc_codec.encoding.fit.network import Index
from tinc_codec.tree.structure import Tree

PACE = 1.0
"""How far an entry of a matrix moves in a step, root mean square, where Adam moves a parameter by 1, about.

At 2/3 networks gain less in 500 and in 2,500 steps; at 1.4 they gain no more."""

MOMENTUM = 0.9
"""Part of the direction that is kept from step to step: 0.8 gains a little less, at 0.95 some networks diverge."""

_ROUNDS = 5
_LINEAR, _CUBIC, _QUINTIC = 3.4445, -4.7750, 2.0315
"""Coefficients of the iteration, as K. Jordan gives them (Muon, 2024): after five rounds singular values from 0.01 to 1
lie between about 0.7 and 1.2, which is as good as 1 here."""

_LEAST = 1e-12


def orthogonal(matrices: Array) -> Array:
    """The nearest matrices whose rows are orthonormal, about, by a Newton-Schulz iteration.

    Parameters
    ----------
    matrices
        ``(matrices, rows, columns)``, no more rows than columns.
    """
    x = matrices / (matrices.square().sum((1, 2), keepdim=True).sqrt() + _LEAST)
    for _ in range(_ROUNDS):
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_CUBIC, alpha=_QUINTIC), x, beta=_LINEAR)
    return x


def places(tree: Tree, parts: Index) -> list[Array]:
    """Where weights of sine layers lie in a chunk's flat vector: matrices ``(matrices, rows, columns)`` of each shape.

    The longer side lies along the columns. Rows of a leaf's output are none: there is nothing to make orthogonal.
    """
    shapes: dict[tuple[int, int], list[Array]] = {}
    for tensor, (weights, _) in zip(tree.tensors, parts.slices, strict=True):
        if not tensor.linear:
            numbers = torch.arange(weights.start, weights.stop).view(tensor.nodes, tensor.rows, tensor.columns)
            numbers = numbers if tensor.rows <= tensor.columns else numbers.mT
            shapes.setdefault((numbers.shape[1], numbers.shape[2]), []).append(numbers)
    return [torch.cat(each).contiguous().to(parts.kinds.device) for each in shapes.values()]


class Directions:
    """Momentum of the gradients of matrices, and the steps that follow from it (Muon).

    Parameters
    ----------
    parameters
        ``(chunks, parameters)``.
    matrices
        See `places`.
    """

    def __init__(self, parameters: Array, matrices: Sequence[Array]) -> None:
        self._parameters, chunks = parameters, len(parameters)
        self._groups = [  # a caller may have another default dtype
            (each.flatten(), parameters.new_zeros(chunks * len(each), *each.shape[1:])) for each in matrices
        ]

    def step(self, gradient: Array, rate: Array) -> None:
        """Move the matrices, and set their gradient to 0: no other optimiser moves them then.

        Parameters
        ----------
        gradient
            Of the parameters.
        rate
            Of the optimiser, a number on the device.
        """
        for numbers, momentum in self._groups:
            matrices = gradient.index_select(1, numbers).view(momentum.shape)
            momentum.lerp_(matrices, 1 - MOMENTUM)
            direction = orthogonal(matrices.lerp(momentum, MOMENTUM))
            size = -PACE * math.sqrt(momentum.shape[-1])  # an entry's, root mean square
            self._parameters.data.index_add_(1, numbers, (direction * (size * rate)).view(len(gradient), -1))
            gradient.index_fill_(1, numbers, 0.0)
