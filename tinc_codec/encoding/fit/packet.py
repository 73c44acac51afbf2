"""The wavelet packet in torch: coefficients of windows of a volume, in quantisation steps, with gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.detail import lifting, packet
from tinc_codec.detail.levels import inverse_gain
from tinc_codec.detail.plan import AXES, Group, Plan, Shape
from tinc_codec.detail.scale import Scale

_ONE = inverse_gain(0)

_LEADING = 2
"""Axes before those of a window."""


@lru_cache(maxsize=64)
def _analysis(length: int, device: torch.device) -> Array:
    """The transform of one axis as a matrix: its low half above its high one, ``(length, length)``."""
    return torch.as_tensor(np.concatenate(lifting.forward(np.eye(length), 0)), dtype=torch.float32, device=device)


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

    def bands(self, windows: Array) -> list[Array]:
        """Coefficients of every band that has any, in the units of the windows' samples.

        Parameters
        ----------
        windows
            ``(chunks, windows, *shape)``, float32.
        """
        parts: list[Any] = packet.forward(windows, self.plan, _WINDOWS)
        return [part for part, band in zip(parts, self.plan.bands, strict=True) if all(band.shape)]

    @property
    def inverses(self) -> list[float]:
        """1 over the step of every band that has any coefficients."""
        pairs = zip(self.inverse_steps, self.plan.bands, strict=True)
        return [inverse for inverse, band in pairs if all(band.shape)]


def _forward(windows: Array, axis: int) -> tuple[Array, Array]:
    """Low and high half of an axis of all windows."""
    place = axis + _LEADING
    n, both = windows.shape[place], _along(windows, place)
    return both.narrow(place, 0, (n + 1) // 2), both.narrow(place, (n + 1) // 2, n // 2)


_WINDOWS = SimpleNamespace(forward=_forward)
"""Who splits windows, as `tinc_codec.detail.work.Work` splits a volume."""


def _along(part: Array, axis: int) -> Array:
    """Low and high half of an axis, one after the other."""
    if part.shape[axis] < 2:
        return part
    matrix = _analysis(part.shape[axis], part.device)
    outer, inner = math.prod(part.shape[:axis]), math.prod(part.shape[axis + 1 :])
    return torch.matmul(matrix, part.reshape(outer, part.shape[axis], inner)).reshape(part.shape)
