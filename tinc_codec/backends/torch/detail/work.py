"""The work of encoding coefficients on a torch device, see `tinc_codec.detail.work.EncodingWork`.

Numbers of one section may differ from the reference's where a choice hangs on the last bits of a sum of floats; every
decoder gives the same samples for what is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.torch.detail import transform
from tinc_codec.backends.torch.detail.walker import Walker
from tinc_codec.detail.joining import Joining
from tinc_codec.detail.model import Model
from tinc_codec.detail.scale import Scale
from tinc_codec.detail.work import EncodingWork, Work
from tinc_codec.runtime import shortage

log = logging.getLogger("tinc_codec")

T = TypeVar("T")


def within_memory(device: torch.device, host: Work, work: Callable[[EncodingWork], T]) -> T:
    """Have something done on a device or, where its memory does not hold it, from the beginning by the host."""
    try:
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            return work(DeviceWork(device, host, device.type == "cuda" and find_spec("triton") is not None))
    except torch.OutOfMemoryError:
        pass  # what it holds of the attempt goes with it
    torch.cuda.empty_cache()
    log.warning("%s has no memory for the coefficients of a chunk: the CPU encodes it", device)
    shortage.note(shortage.ON_CPU)
    return work(host)


@dataclass(frozen=True)
class DeviceWork:
    """Transform, quantisation and contexts on a device; entropy coding on the host.

    Parameters
    ----------
    device
        Where.
    host
        Who writes the numbers.
    kernels
        Whether kernels quantise passes, where they are seen to do it as tensor operations do.
    """

    device: torch.device
    host: Work
    kernels: bool = False

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

    def inverse(self, numbers: Array, joining: Joining, scale: Scale) -> Array:
        """See `EncodingWork`."""
        return transform.joined(numbers, joining, scale)

    def cost(self, values: Array, inverse: float) -> float:
        """See `EncodingWork`."""
        return transform.cost(values, inverse)

    def walker(self, model: Model, numbers: Array, magnitudes: Array | None = None) -> Walker:
        """See `EncodingWork`."""
        return Walker(model, numbers, magnitudes, self.host, self.kernels)
