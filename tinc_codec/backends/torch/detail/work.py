"""The work of encoding coefficients on a torch device, see `tinc_codec.detail.work.EncodingWork`.

Numbers of one section may differ from the reference's where a choice hangs on the last bits of a sum of floats; every
decoder gives the same samples for what is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.torch.detail import transform
from tinc_codec.backends.torch.detail.walker import Walker
from tinc_codec.detail.model import Model
from tinc_codec.detail.work import Work


@dataclass(frozen=True)
class DeviceWork:
    """Transform, quantisation and contexts on a device; entropy coding on the host.

    Parameters
    ----------
    device
        Where.
    host
        Who writes the numbers.
    """

    device: torch.device
    host: Work

    def placed(self, values: NDArray[Any]) -> Array:
        """See `EncodingWork`."""
        return torch.from_numpy(values).to(self.device)

    def on_host(self, values: Array) -> NDArray[Any]:
        """See `EncodingWork`."""
        array: NDArray[Any] = values.cpu().numpy()
        return array

    def flat(self, bands: list[Array]) -> Array:
        """See `EncodingWork`."""
        return torch.cat([band.reshape(-1) for band in bands])

    def forward(self, samples: Array, axis: int) -> tuple[Array, Array]:
        """See `EncodingWork`."""
        return transform.forward(samples, axis)

    def inverse(self, low: Array, high: Array, axis: int) -> Array:
        """See `EncodingWork`."""
        return transform.inverse(low, high, axis)

    def cost(self, values: Array, inverse: float) -> float:
        """See `EncodingWork`."""
        return transform.cost(values, inverse)

    def coefficients(self, numbers: Array, step: int, one: int, more: int) -> Array:
        """See `EncodingWork`."""
        return transform.coefficients(numbers, step, one, more)

    def walker(self, model: Model, numbers: Array, magnitudes: Array | None = None) -> Walker:
        """See `EncodingWork`."""
        return Walker(model, numbers, magnitudes, self.host)
