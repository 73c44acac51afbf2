"""How weights and quantisation steps follow the gradient: Adam, and its rate over a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor as Array


def schedule(progress: float, steps: int, warm_up: float, last: float) -> float:
    """The rate over its peak: a short rise, then along half a cosine.

    Parameters
    ----------
    progress
        Part of the steps that is done.
    steps
        How many there are.
    warm_up
        Part of them over which the rate rises.
    last
        The rate at the end, over its peak.
    """
    warm = min(1.0, (progress * steps + 1) / (steps * warm_up))
    return warm * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * progress)))


class Optimiser:
    """Adam, whose betas suit few steps, and whose rate is a number on the device, so that a graph may hold the step.

    Parameters
    ----------
    parameters
        What is trained, all on one device.
    betas
        Of Adam.
    """

    def __init__(self, parameters: Sequence[Array], betas: tuple[float, float] = (0.9, 0.95)) -> None:
        device = parameters[0].device
        on_cpu = device.type == "cpu"
        self.rate = torch.zeros((), device=device, dtype=torch.float64 if on_cpu else torch.float32)
        self._adam = torch.optim.Adam(
            parameters, lr=self.rate, betas=betas, eps=1e-12, foreach=False, fused=True, capturable=not on_cpu
        )

    def step(self, loss: Array) -> None:
        """One step along the gradient of a loss, at `rate`."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
