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
    """Adam, whose betas suit few steps.

    Parameters
    ----------
    parameters
        What is trained.
    betas
        Of Adam.
    """

    def __init__(self, parameters: Sequence[Array], betas: tuple[float, float] = (0.9, 0.95)) -> None:
        self._adam = torch.optim.Adam(parameters, betas=betas, eps=1e-12, foreach=False, fused=True)

    def step(self, loss: Array, rate: float) -> None:
        """One step along the gradient of a loss."""
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
