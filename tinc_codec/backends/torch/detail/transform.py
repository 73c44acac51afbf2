"""The transform, its inverse and what bands cost on a torch device: see `tinc_codec.detail.lifting` and `estimate`."""

from __future__ import annotations

import math

import torch
from torch import Tensor as Array

from tinc_codec.detail import packet
from tinc_codec.detail.estimate import LEAST, MOST, OWN, PRICE, ROUNDING
from tinc_codec.detail.joining import Joining
from tinc_codec.detail.layout import layout
from tinc_codec.detail.lifting import FACTORS, PLACES
from tinc_codec.detail.plan import AXES
from tinc_codec.detail.scale import CENTRE, Scale


def _neighbours(half: Array, count: int, of_low: bool) -> Array:
    """Sums of both neighbours of each sample of the other half, along the first axis."""
    first, last = half[:1], half[-1:]
    if of_low:
        return torch.cat([first, half])[:count] + torch.cat([half, last])[:count]
    return half[:count] + torch.cat([half[1:], last])[:count]


def forward(samples: Array, axis: int) -> tuple[Array, Array]:
    """Low and high half of an axis, in floats."""
    x = samples.movedim(axis, 0)
    s, d = x[0::2].clone(), x[1::2].clone()
    if len(d):
        for number, factor in enumerate(FACTORS):
            if number % 2:
                s += _neighbours(d, len(s), True) * (factor / 2**PLACES)
            else:
                d += _neighbours(s, len(d), False) * (factor / 2**PLACES)
    return s.movedim(0, axis), d.movedim(0, axis)


def inverse(low: Array, high: Array, axis: int) -> Array:
    """See `tinc_codec.detail.lifting.inverse`."""
    s, d = low.movedim(axis, 0), high.movedim(axis, 0)
    if not len(d):
        return low
    for number in (3, 2, 1, 0):
        if number % 2:
            s = s - _product(_neighbours(d, len(s), True), FACTORS[number])
        else:
            d = d - _product(_neighbours(s, len(d), False), FACTORS[number])
    out = s.new_empty((len(s) + len(d), *s.shape[1:]))
    out[0::2], out[1::2] = s, d
    return out.movedim(0, axis)


def joined(numbers: Array, joining: Joining, scale: Scale) -> Array:
    """See `tinc_codec.detail.joining.inverse`."""
    parts, cuts = layout(joining.plan), {}
    for source in joining.sources():
        offset, *shape = parts.bands[source.number].tolist()
        band = numbers[offset : offset + math.prod(shape)].reshape(shape)
        inside = band[tuple(slice(*ends) for ends in source.box)]
        cuts[source.band] = coefficients(inside, scale.band_step(source.splits), scale.one, scale.more)
    samples: Array = packet.inverse(joining.plan, cuts.__getitem__, joining.reached, joining.stop, inverse)
    return samples


def _product(sums: Array, factor: int) -> Array:
    return (sums.long() * factor + (1 << (PLACES - 1)) >> PLACES).int()


def coefficients(numbers: Array, step: int, one: int, more: int) -> Array:
    """See `tinc_codec.detail.scale.coefficients`."""
    wide = numbers.long()
    magnitude = wide.abs()
    centre = torch.where(magnitude == 1, one, more)
    value = ((magnitude << CENTRE) + centre) * step + (1 << 2 * CENTRE - 1) >> 2 * CENTRE
    return torch.where(magnitude == 0, 0, torch.where(wide < 0, -value, value)).int()


def cost(values: Array, inverse: float) -> float:
    """What a band costs, about; see `tinc_codec.detail.estimate.cost`."""
    value = values.abs() * inverse
    number = torch.floor(value + ROUNDING)
    near = number.clamp(max=MOST)
    expected = (_three_along_each(near) - near) / 26 + OWN * near.mean() + LEAST
    bits = torch.log2(1 + expected)
    bits = bits + number * (bits - torch.log2(expected)) + (number > 0)
    return float(((value - number) ** 2 + PRICE * bits).sum(dtype=torch.float64))


def _three_along_each(numbers: Array) -> Array:
    """Sums over a number and both neighbours along the last three axes; at an end its own number counts twice."""
    for axis in range(1, AXES):
        x = numbers.movedim(axis, 0)
        numbers = (torch.cat([x[:1], x[:-1]]) + x + torch.cat([x[1:], x[-1:]])).movedim(0, axis)
    return numbers
