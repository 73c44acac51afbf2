"""Weights in training as they will be decoded, and their bits, with gradients: by torch's operations, or compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor as Array

from tinc_codec.backends.protocol import TrainingWork
from tinc_codec.encoding.fit.network import Index
from tinc_codec.encoding.fit.quantisation import own_bits, rounded


class Quantiser(Protocol):
    """Quantises weights."""

    def __call__(self, theta: Array, steps: Array, noise: Array | None) -> tuple[Array, Array]:
        """Weights ``(chunks, parameters)`` and the bits of each chunk's, ``(chunks,)``.

        Parameters
        ----------
        theta
            Parameters, ``(chunks, parameters)``.
        steps
            Logarithms of quantisation steps, ``(chunks, kinds)``.
        noise
            In steps, like `theta`; None: values are rounded, and the gradient passes as if they were not.
        """


@dataclass(frozen=True, eq=False)
class InOperations:
    """The reference, on any device."""

    index: Index

    def __call__(self, theta: Array, steps: Array, noise: Array | None) -> tuple[Array, Array]:
        """See `Quantiser`."""
        step = self.index.spread(torch.exp(steps))
        q = theta / step
        q = rounded(q) if noise is None else q + noise
        return q * step, own_bits(q, self.index)


class InOne:
    """The same on a CPU, by a backend that compiles."""

    def __init__(self, by: TrainingWork, index: Index) -> None:
        self.by = by
        self.kinds = index.kinds.view(len(index.counts), -1)[0].numpy()  # of the first chunk, as all have them

    def __call__(self, theta: Array, steps: Array, noise: Array | None) -> tuple[Array, Array]:
        """See `Quantiser`."""
        weights, bits = _Quantise.apply(theta, steps, noise, self)  # type: ignore[no-untyped-call]
        return weights, bits


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, theta: Array, steps: Array, noise: Array | None, how: InOne) -> tuple[Array, Array]:
        given = theta.detach().numpy(), steps.detach().numpy(), how.kinds
        weights, bits, slopes = how.by.quantised(*given, None if noise is None else noise.numpy())
        ctx.how, ctx.given = how, (*given, weights, slopes)
        return torch.from_numpy(weights), torch.from_numpy(bits)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *of: Array) -> tuple[Array, Array, None, None]:
        of_weights, of_bits = (each.contiguous().numpy() for each in of)
        of_theta, of_steps = ctx.how.by.gradients(*ctx.given, of_weights, of_bits)
        return torch.from_numpy(of_theta), torch.from_numpy(of_steps), None, None
