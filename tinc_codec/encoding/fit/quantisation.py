"""Quantisation-aware training: noise, straight-through rounding, a differentiable rate, and the integers at the end."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.encoding.fit.network import Index
from tinc_codec.tree.inference import TURN
from tinc_codec.tree.laplace import LEAST_PROBABILITY, LEAST_SCALE
from tinc_codec.tree.model import AMPLITUDE, EXACT_SUM, LARGEST_SCALE, LARGEST_WEIGHT, Layer
from tinc_codec.tree.structure import Tensor, Tree

_LOG2 = math.log(2)

_FINEST_STEP = 2.0**-30
"""Finer steps would gain nothing, and their scales might not be normal float32 numbers."""


def laplace_scales(q: Array, index: Index) -> Array:
    """The most likely Laplace scale of each kind of parameter: the mean magnitude, in steps, ``(chunks, kinds)``.

    It is a constant to the gradient, which it would not change: the rate is stationary there.
    """
    return (index.sums(q.detach().abs()) / index.counts).clamp(min=LEAST_SCALE)


def own_bits(q: Array, index: Index) -> Array:
    """Bits of each chunk's parameters ``(chunks, parameters)``, in steps, under their most likely scales."""
    return laplace_bits(q, index.spread(laplace_scales(q, index))).sum(1)


def laplace_bits(q: Array, scale: Array) -> Array:
    """Bits of quantised values `q` (in steps) under Laplace distributions integrated over unit intervals."""
    magnitude, inverse = q.abs(), 1 / scale
    small, large = magnitude.clamp(max=0.5), magnitude.clamp(min=0.5)
    centre = 1 - 0.5 * (torch.exp((small - 0.5) * inverse) + torch.exp((-small - 0.5) * inverse))
    tail = (0.5 - large) * inverse + torch.log(-torch.expm1(-inverse)) - _LOG2
    return torch.where(magnitude < 0.5, torch.log(centre.clamp(min=LEAST_PROBABILITY)), tail) / -_LOG2


def noise(parameters: int, generators: Sequence[torch.Generator]) -> Array:
    """Uniform noise as wide as a quantisation step, for each chunk's parameters from a generator of its own."""
    rows = [torch.rand(parameters, generator=each, device=each.device, dtype=torch.float32) for each in generators]
    return torch.stack(rows) - 0.5


def rounded(q: Array) -> Array:
    """Round; the gradient passes as if it had not (straight-through estimator)."""
    return q + (torch.round(q) - q).detach()


def to_layers(
    tree: Tree, index: Index, theta: NDArray[np.float64], steps: NDArray[np.float64], gain: float, shift: float
) -> tuple[Layer, ...]:
    """Turn trained weights into the integers that are stored.

    Parameters
    ----------
    theta
        Weights and biases, flat, in radians (sine layers) or normalised intensity (linear layer), float64.
    steps
        Quantisation steps: of weights and of biases of each tensor, float64.
    gain, shift
        Intensity is ``gain * output + shift`` above the model's offset.
    """
    layers: list[Layer] = []
    for number, (tensor, (weights, biases)) in enumerate(zip(tree.tensors, index.slices, strict=True)):
        w = theta[weights].reshape(tensor.nodes, tensor.rows, tensor.columns)
        b = theta[biases].reshape(tensor.nodes, tensor.rows)
        if tensor.linear:
            b = b + shift / gain
        layers.append(_to_layer(tensor, w, b, steps[2 * number], steps[2 * number + 1], gain))
    return tuple(layers)


def _to_layer(
    tensor: Tensor, w: NDArray[np.float64], b: NDArray[np.float64], step: float, bias_step: float, gain: float
) -> Layer:
    """Quantise one tensor, with a coarser step where the integer decoder's bounds ask for it."""
    step = max(step, float(np.abs(w).max(initial=0)) / LARGEST_WEIGHT, _FINEST_STEP)
    while True:
        unit = step / AMPLITUDE  # what 1 in a sum stands for
        scale = unit * gain if tensor.linear else float(np.float32(unit * TURN / (2 * math.pi)))
        if not 0 < scale <= (sys.float_info.max if tensor.linear else LARGEST_SCALE):
            raise FloatingPointError(f"a scale of {scale} is beyond what the decoder takes")
        if not tensor.linear:
            unit = scale * 2 * math.pi / TURN
        largest_bias = float(np.abs(b).max(initial=0))
        multiplier = max(1, round(bias_step / unit), math.ceil(largest_bias / unit / LARGEST_WEIGHT))
        layer = Layer(
            np.rint(np.clip(w / (unit * AMPLITUDE), -LARGEST_WEIGHT, LARGEST_WEIGHT)).astype(np.int32),
            np.rint(np.clip(b / (unit * multiplier), -LARGEST_WEIGHT, LARGEST_WEIGHT)).astype(np.int32),
            multiplier,
            scale,
        )
        if layer.largest_sum < EXACT_SUM and multiplier < EXACT_SUM:
            return layer
        step *= 2
