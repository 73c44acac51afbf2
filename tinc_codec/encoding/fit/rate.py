"""Rate control: the weight of the rate term, steered so that the stream ends up at its budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor as Array

START, RAMP = 0.1, 0.1
"""Fractions of the training at which steering begins and over which the rate term is ramped in."""

FIRST = 0.1
PROPORTIONAL, INTEGRAL = 2.0, 0.02
_STEPS = 4000
"""Steps at which `INTEGRAL` was chosen; shorter trainings integrate faster."""


class RateControl:
    """Proportional-integral control of log(rate weight) by log(bits / target), of each chunk of a batch.

    The weight is relative to the slope that distortion has over rate where every parameter is quantised finely,
    ``2 ln 2 distortion / parameters`` (6 dB a bit), so that its start needs no tuning for data and budget.

    Parameters
    ----------
    targets
        Bits that each chunk's weights may take.
    parameters
        Number of a chunk's parameters.
    steps
        Length of the training.
    device
        Where the state lives; nothing here waits for the device.
    """

    def __init__(self, targets: Sequence[float], parameters: int, steps: int, device: torch.device) -> None:
        def numbers(value: float, *shape: int) -> Array:
            return torch.full(shape, value, device=device, dtype=torch.float32)

        chunks = len(targets)
        self._slope = FIRST * 2 * math.log(2) / parameters
        self._most = INTEGRAL * math.sqrt(_STEPS / steps)
        self._target, self._integral, self.distortion = (numbers(value, chunks) for value in (1.0, 0.0, math.nan))
        self._gain, self._ramp = numbers(0.0), numbers(0.0)
        for number, target in enumerate(targets):
            self.aim(number, target)

    def aim(self, number: int, target: float) -> None:
        """Steer a chunk for another number of bits from now on."""
        self._target[number].fill_(max(target, 1.0))

    def proceed(self, progress: float) -> None:
        """Say how far training is, from 0 to 1, before a step."""
        self._gain.fill_(self._most if progress > START else 0.0)
        self._ramp.fill_(min(1.0, progress / RAMP))

    def weight(self, distortion: Array, bits: Array) -> Array:
        """Weights ``(chunks,)`` of the rate term for this step, from each chunk's distortion and bits.

        All that they depend on, and that changes, lies in tensors that stay.
        """
        smooth = 0.95 * self.distortion + 0.05 * distortion
        self.distortion.copy_(torch.where(torch.isnan(self.distortion), distortion, smooth))
        error = torch.log(bits.clamp(min=1) / self._target).clamp(-1, 1)
        self._integral.add_(self._gain * error).clamp_(-12, 8)
        steered = torch.exp((self._integral + PROPORTIONAL * error).clamp(-12, 8))
        return self._slope * self.distortion * steered * self._ramp
