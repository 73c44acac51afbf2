"""Chunks as torch tensors, decoded where they are to be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinc_codec.backends.torch import inference as inference_torch
from tinc_codec.backends.torch.detail import samples as detail_torch
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.predictors.detail import DetailPredictor
from tinc_codec.decoding.predictors.protocol import Predictor
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.runtime.threads import spread
from tinc_codec.stream import crop

if TYPE_CHECKING:
    import torch


def decode_batch(streams: Sequence[bytes | memoryview], device: Any = "cuda") -> list[torch.Tensor]:
    """Decode whole chunks on a torch device, without a copy to the host; the same bytes as `tinc_codec.decode`.

    Streams are parsed by all cores while the device works; nothing waits for the device. Of coefficients the host
    decodes the numbers, and the device makes the samples; residuals, samples that are stored losslessly, and
    coefficients of float16 and uint64, are decoded on the host, and copied.

    Parameters
    ----------
    streams
        Any number of chunks.
    device
        A torch device, as in ``"cuda:0"``.

    Returns
    -------
    list of Tensor
        One for each stream, on `device`: its shape, its dtype in native byte order, contiguous.

    Raises
    ------
    CorruptStreamError
        As `tinc_codec.decode`.
    MissingDependencyError, ConfigurationError
        torch is not installed, or cannot use `device`.
    """
    place = inference_torch.find_device(device)
    chunks = [Chunk.of(bytes(stream)) for stream in streams]
    spread(Chunk.parse, chunks)
    return [to_tensor(chunk, place) for chunk in chunks]


def to_tensor(chunk: Chunk, device: torch.device) -> torch.Tensor:
    """One chunk as a tensor."""
    with chunk.accounted():
        return _to_tensor(chunk, device)


def _samples(predictor: Predictor | None, device: torch.device) -> torch.Tensor | None:
    """All samples of a predictor; None: the device does not make them."""
    if isinstance(predictor, SineTree):
        return inference_torch.decode_tensor(predictor.model, device)
    if isinstance(predictor, DetailPredictor) and detail_torch.possible(predictor.detail, predictor.low.dtype):
        above = None if predictor.above is None else _samples(predictor.above, device)
        return detail_torch.decode_tensor(predictor.detail, predictor.low, predictor.high, device, above)
    return None


def _to_tensor(chunk: Chunk, device: torch.device) -> torch.Tensor:
    import torch

    samples = None if chunk.has_residual else _samples(chunk.predictor, device)
    if samples is None:
        host = np.ascontiguousarray(chunk.restored(), chunk.native).reshape(chunk.header.shape)
        return torch.from_numpy(host).to(device)
    with torch.inference_mode():
        for overlay in chunk.overlays:
            mask, values = torch.from_numpy(overlay.mask), torch.from_numpy(overlay.values)
            inference_torch.signed(samples)[mask.to(device)] = inference_torch.signed(values.to(device))
        samples = samples.reshape(chunk.folding.kept)
        if chunk.folding.kept == chunk.header.shape:
            return samples
        fill = torch.from_numpy(np.array([crop.fill_value(chunk.container)])).to(device)
        whole = inference_torch.signed(fill).expand(chunk.header.shape).clone()
        whole[tuple(slice(n) for n in chunk.folding.kept)] = inference_torch.signed(samples)
        return whole.view(samples.dtype)
