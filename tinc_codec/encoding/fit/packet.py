"""The wavelet packet in torch: coefficients of windows of a volume, in quantisation steps, with gradients."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.detail import lifting
from tinc_codec.detail.levels import inverse_gain
from tinc_codec.detail.plan import AXES, Group, Plan, Shape
from tinc_codec.detail.scale import Scale

Places = dict[tuple[tuple[int, ...], tuple[int, ...]], Array]
"""Parts by how often each group is split, and along which axes they are high."""


_ONE = inverse_gain(0)


@lru_cache(maxsize=64)
def _analysis(length: int) -> Array:
    """The transform of one axis as a matrix: its low half above its high one, ``(length, length)``."""
    return torch.as_tensor(np.concatenate(lifting.forward(np.eye(length), 0)), dtype=torch.float32)


def of_window(plan: Plan, window: Shape, halvings: Shape = (0, 0, 0, 0)) -> Plan:
    """The plan of a window that is transformed alone: as that of the volume, but that it ends where 2 samples are left.

    Parameters
    ----------
    plan
        Of the volume.
    window
        Its shape.
    halvings
        How often each axis was halved before.
    """
    groups = []
    for group in plan.groups:
        long = [axis for axis in group.axes if plan.shape[axis] > 1]
        left = group.depth - min((halvings[axis] for axis in long), default=0)
        groups.append(Group(group.axes, max(0, min([left, *(window[axis].bit_length() - 2 for axis in long)]))))
    return Plan(window, tuple(groups), plan.tile)


@dataclass(frozen=True, eq=False)
class Packet:
    """The packet of windows that are transformed alone, and the steps that their coefficients are quantised with.

    Parameters
    ----------
    plan
        Of a window.
    inverse_steps
        1 over the step of each band, in the units of the windows' samples.
    """

    plan: Plan
    inverse_steps: tuple[float, ...]

    @classmethod
    def of(cls, plan: Plan, scale: Scale, window: Shape, unit: float, halvings: Shape = (0, 0, 0, 0)) -> Packet:
        """The packet of windows of a volume.

        Parameters
        ----------
        plan, scale
            Of the volume's coefficients.
        window
            Shape of a window, of four axes.
        unit
            What 1 in the windows' samples stands for, in the volume's units.
        halvings
            How often each axis was halved: samples are means over cells of the volume, and their coefficients stand
            for those of as many splits more.
        """
        coarser = sum(halvings)
        inner = of_window(plan, window, halvings)
        splits = [coarser + sum(inner.splits(band, axis) for axis in range(AXES)) for band in inner.bands]
        steps = [math.ldexp(scale.band_step(count) / 256, scale.exponent) / unit for count in splits]
        gain = _ONE / inverse_gain(coarser)
        return cls(inner, tuple(gain / step for step in steps))

    def coefficients(self, windows: Array) -> list[Array]:
        """Coefficients of every band that has any, in steps.

        Parameters
        ----------
        windows
            ``(windows, *shape)``, float32.
        """
        parts: Places = {((), (0,) * AXES): windows}
        for group in self.plan.groups:
            split: Places = {}
            for (levels, high), part in parts.items():
                for (level, more), piece in _dyadic(part, group).items():
                    split[(*levels, *level), _both(high, more)] = piece
            parts = split
        bands = zip(self.plan.bands, self.inverse_steps, strict=True)
        return [parts[band.levels, band.high] * inverse for band, inverse in bands if all(band.shape)]


def _dyadic(part: Array, group: Group) -> Places:
    """The bands of one group of axes, by their level and where they are high."""
    split: Places = {}
    for level in range(1, group.depth + 1):
        halves = _halves(part, group.axes)
        part = halves.pop((0,) * AXES)
        for high, piece in halves.items():
            split[(level,), high] = piece
    split[(group.depth,), (0,) * AXES] = part
    return split


def _halves(part: Array, axes: tuple[int, ...]) -> dict[tuple[int, ...], Array]:
    """One split of all axes: the parts by where they are high."""
    for axis in axes:
        part = _along(part, axis + 1)
    halves = {}
    for bits in itertools.product((0, 1), repeat=len(axes)):
        piece, high = part, [0] * AXES
        for axis, bit in zip(axes, bits, strict=True):
            n, high[axis] = part.shape[axis + 1], bit
            piece = piece.narrow(axis + 1, (n + 1) // 2 if bit else 0, n // 2 if bit else (n + 1) // 2)
        halves[tuple(high)] = piece
    return halves


def _along(part: Array, axis: int) -> Array:
    """Low and high half of an axis, one after the other."""
    if part.shape[axis] < 2:
        return part
    matrix = _analysis(part.shape[axis]).to(part.device)
    outer = math.prod(part.shape[:axis])
    return torch.matmul(matrix, part.reshape(outer, part.shape[axis], -1)).reshape(part.shape)


def _both(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a | b for a, b in zip(one, other, strict=True))
