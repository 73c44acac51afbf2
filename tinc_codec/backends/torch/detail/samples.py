"""Coefficients joined to samples on a torch device: the integers and bytes of `tinc_codec.detail`.

Entropy decoding stays with the host's backend; numbers are copied, and all that follows is done on the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.joining import whole
from tinc_codec.detail.scale import USUAL_EXPONENT

if TYPE_CHECKING:
    import torch


def possible(detail: Detail, dtype: np.dtype[Any]) -> bool:
    """Whether the device gives the same bytes.

    Not of powers of 2 beyond floats; nor of uint64, which torch has no arithmetic for, nor of float16, which it makes
    of float64 by way of float32.
    """
    return abs(detail.parameters.scale.exponent) < USUAL_EXPONENT and dtype not in (np.uint64, np.float16)


def decode_tensor(
    detail: Detail, low: Any, high: Any, device: torch.device, above: torch.Tensor | None = None
) -> torch.Tensor:
    """All samples of a chunk.

    Parameters
    ----------
    detail
        The parsed section.
    low, high
        Range of the samples, and their dtype.
    device
        Where the work is done.
    above
        What the shallow levels predict, on the device; None: there are none.

    Returns
    -------
    Tensor
        Folded shape, dtype of `low`, on `device`.
    """
    import torch

    with torch.inference_mode():
        scale = detail.parameters.scale
        samples = _integers(detail, device).double() * 2.0**scale.exponent + scale.origin
        if above is not None:
            samples += _wide(above)
        return _as_dtype(samples, low, high)


def _integers(detail: Detail, device: torch.device) -> torch.Tensor:
    """All samples as integers of the scale."""
    import torch

    from tinc_codec.backends.torch.detail import transform

    plan, scale = detail.parameters.plan, detail.parameters.scale
    joined = transform.joined(torch.from_numpy(detail.numbers()).to(device), whole(plan), scale)
    return joined.reshape(detail.shape).contiguous()


_BITS = {"uint8": 8, "uint16": 16, "uint32": 32}


def _wide(samples: torch.Tensor) -> torch.Tensor:
    """Samples of any dtype but uint64 in float64."""
    from tinc_codec.backends.torch.inference import signed

    name = str(samples.dtype).removeprefix("torch.")
    if name in _BITS:
        return (signed(samples).long() & (1 << _BITS[name]) - 1).double()
    return samples.double()


def _as_dtype(values: torch.Tensor, low: Any, high: Any) -> torch.Tensor:
    """Round and clip; see `tinc_codec.detail.samples.to_dtype`."""
    import torch

    dtype = np.asarray(low).dtype
    wanted = getattr(torch, dtype.name)
    if dtype.kind == "f":
        least, most = (torch.tensor(float(end), dtype=wanted, device=values.device) for end in (low, high))
        cast = values.to(wanted)
        cast = torch.where(cast < least, least, cast)  # by comparison: a zero keeps its own sign
        return torch.where(cast > most, most, cast)
    info = np.iinfo(dtype)
    top = float(info.max) if dtype.itemsize < 8 else float(np.nextafter(float(info.max), 0.0))
    whole = values.round().clamp(float(info.min), top).long().clamp(int(low), int(high))
    narrow = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]
    return whole.to(narrow).view(wanted)
