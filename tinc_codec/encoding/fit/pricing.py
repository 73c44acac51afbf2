"""What coefficients of windows cost, with gradients, as one operation of training: band by band, or compiled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.protocol import TrainingWork
from tinc_codec.detail.plan import AXES, Plan
from tinc_codec.encoding.fit.cost import cost
from tinc_codec.encoding.fit.packet import Packet


class Pricing(Protocol):
    """Says what coefficients of windows cost."""

    def __call__(self, windows: Array, most: float = math.inf) -> Array:
        """Bits of each chunk, ``(chunks,)``, of windows ``(chunks, leaves, *shape)``; see `cost`."""


class BandByBand:
    """The reference, on any device.

    Parameters
    ----------
    packet
        Of a window.
    inverses
        1 over the step of every band that has any coefficients, of each chunk: ``(chunks, bands)``.
    device
        Where windows lie.
    """

    def __init__(self, packet: Packet, inverses: NDArray[np.float32], device: torch.device) -> None:
        self._packet = packet
        steps = torch.as_tensor(inverses).to(device)
        self._inverses = steps.view(len(inverses), -1, *(1,) * (1 + AXES)).unbind(1)

    def __call__(self, windows: Array, most: float = math.inf) -> Array:
        """See `Pricing`."""
        pairs = zip(self._packet.bands(windows), self._inverses, strict=True)
        return torch.stack([cost(band * inverse, most) for band, inverse in pairs]).sum(0)


@dataclass(frozen=True, eq=False)
class Compiled:
    """The same on a CPU, by a backend that compiles.

    Parameters
    ----------
    by
        The backend's way.
    plan
        Of a window.
    inverses
        See `BandByBand`.
    """

    by: TrainingWork
    plan: Plan
    inverses: NDArray[np.float32]

    def __call__(self, windows: Array, most: float = math.inf) -> Array:
        """See `Pricing`."""
        bits: Array = _Rate.apply(windows, self, most)  # type: ignore[no-untyped-call]
        return bits


class _Rate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, windows: Array, priced: Compiled, most: float) -> Array:
        given = windows.detach().contiguous().numpy()
        pairs = [priced.by.rate(one, priced.plan, row, most) for one, row in zip(given, priced.inverses, strict=True)]
        ctx.gradient = torch.as_tensor(np.stack([gradient for _, gradient in pairs]))
        return torch.tensor([bits for bits, _ in pairs], dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, of_bits: Array) -> tuple[Array, None, None]:
        return ctx.gradient * of_bits.view(-1, *(1,) * (ctx.gradient.dim() - 1)), None, None
