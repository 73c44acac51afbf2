"""How weights and quantisation steps follow the gradient: matrices along orthogonal directions, all else by Adam."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor as Array

from tinc_codec.encoding.fit.orthogonal import Directions


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
    """Adam, whose betas suit few steps, and orthogonal steps of matrices. The rate lies on the device, for graphs.

    Parameters
    ----------
    parameters
        What is trained, all on one device.
    matrices
        Of the first of them, ``(chunks, parameters)``; see `tinc_codec.encoding.fit.orthogonal.places`.
    betas
        Of Adam.
    """

    def __init__(
        self, parameters: Sequence[Array], matrices: Sequence[Array] = (), betas: tuple[float, float] = (0.9, 0.95)
    ) -> None:
        device = parameters[0].device
        on_cpu = device.type == "cpu"
        self.rate = torch.zeros((), device=device, dtype=torch.float64 if on_cpu else torch.float32)
        self._first = parameters[0]
        self._directions = Directions(parameters[0], matrices)
        self._adam = torch.optim.Adam(
            parameters, lr=self.rate, betas=betas, eps=1e-12, foreach=False, fused=True, capturable=not on_cpu
        )

    def step(self, loss: Array) -> None:
        """One step along the gradient of a loss, at `rate`."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        assert self._first.grad is not None
        self._directions.step(self._first.grad, self.rate)
        self._adam.step()
