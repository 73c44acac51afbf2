"""What coefficients cost, about, with gradients: bits as their contexts foretell them, and errors at a bit's price."""

from __future__ import annotations

import math

import torch
from torch import Tensor as Array
from torch.nn.functional import avg_pool3d, pad

from tinc_codec.detail.estimate import CODED, LEAST, OWN, PRICE, ROUNDING

_AROUND = 27
"""Coefficients that are near one along three axes, itself among them."""

_OF_A_CHUNK = (1, 2, 3, 4, 5)
"""All axes but the chunks."""


def cost(coefficients: Array, most: float = math.inf) -> Array:
    """Bits of one band of each chunk, with squared errors at what a bit is worth.

    A coefficient is lost or coded, whichever is cheaper. What its magnitude takes is that of a geometric distribution
    whose mean is that of its neighbours, as in `tinc_codec.detail.estimate.cost`; the gradient takes them as they are.

    Parameters
    ----------
    coefficients
        ``(chunks, windows, *shape)``, of four axes, in steps.
    most
        What neighbours count as at most: coefficients far above it cost more than they do in truth, so that training
        begins with them.

    Returns
    -------
    Tensor
        ``(chunks,)``.
    """
    sizes = coefficients.abs()
    with torch.no_grad():
        expected = _expected(torch.floor(sizes + ROUNDING).clamp(max=most))
        more, none = torch.log2(1 + 1 / expected), torch.log2(1 + expected)
    lost, coded = sizes * sizes / PRICE, more * sizes + CODED
    return (torch.minimum(lost, coded) + none).sum(_OF_A_CHUNK)


def _expected(numbers: Array) -> Array:
    """Means over the neighbours along the last three axes, and a little of the band's of the same chunk."""
    planes = numbers.reshape(-1, 1, *numbers.shape[-3:])
    sums = avg_pool3d(pad(planes, (1,) * 6, mode="replicate"), 3, stride=1) * _AROUND
    near = (sums - planes) / (_AROUND - 1)
    return near.clamp(min=0).reshape(numbers.shape) + OWN * numbers.mean(_OF_A_CHUNK, keepdim=True) + LEAST
