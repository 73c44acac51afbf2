"""The decoder in torch, on a CPU or a GPU; the same bytes as `tinc_codec.tree.inference`.

Whole chunks only: all leaves at once, level by level, without a copy to the host.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Hashable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.triton.limits import refusal
from tinc_codec.errors import ConfigurationError, MissingDependencyError
from tinc_codec.tree import inference
from tinc_codec.tree.model import Model
from tinc_codec.tree.partition import Partition

if TYPE_CHECKING:
    import torch

    Evaluator = Callable[[torch.Tensor], torch.Tensor]

log = logging.getLogger("tinc_codec")

_TILE = 2**21
"""Activations of a level that are held at a time, on a CPU."""

_GPU_TILE = 2**26
"""The same on a GPU, where large products are worth more than caches."""


def decode(model: Model, device: str) -> NDArray[Any]:
    """Evaluate a model over its whole chunk on a torch device, and copy it to the host; as `decode_tensor`."""
    samples: NDArray[Any] = decode_tensor(model, device).cpu().numpy()
    return samples


def decode_tensor(model: Model, device: str | torch.device) -> torch.Tensor:
    """Evaluate a model over its whole chunk on a torch device.

    Returns
    -------
    Tensor
        Shape of the tree's partition, dtype of the model, on `device`.

    Raises
    ------
    MissingDependencyError
        torch is not installed.
    ConfigurationError
        torch cannot use `device`.
    """
    place = find_device(device)
    import torch

    partition, dtype = model.tree.partition, getattr(torch, str(model.dtype))
    blocks = _empty_blocks(model, place, dtype)
    with torch.inference_mode(), torch.autocast(place.type, enabled=False):
        if len(model.tree.leaves):
            coordinates = torch.as_tensor(inference.local_coordinates(partition.leaf_shape), device=place)
            leaves = torch.as_tensor(model.tree.leaves, device=place)
            tile = _tile_size(model, place)
            evaluate = _evaluator(model, place)
            for start in range(0, coordinates.shape[1], tile):
                part = slice(start, start + tile)
                signed(blocks)[leaves, part] = signed(_to_intensity(evaluate(coordinates[:, part]), model, dtype))
        return from_blocks(blocks, partition)


def find_device(device: str | torch.device) -> torch.device:
    """A device by its name; see `decode_tensor` for the errors."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"decoding on device {str(device)!r} needs torch: pip install 'tinc-codec[torch]', or unset TINC_DEVICE"
        ) from error
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigurationError(f"device {str(device)!r} cannot be used: {error}") from error


def signed(tensor: torch.Tensor) -> torch.Tensor:
    """The same bits as signed integers: torch moves few kinds of unsigned ones."""
    import torch

    signed = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}
    return tensor.view(signed[tensor.dtype]) if tensor.dtype in signed else tensor


def _empty_blocks(model: Model, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """All leaves' blocks, ``(leaves, cells)``, with the constant ones filled in."""
    import torch

    partition = model.tree.partition
    count = math.prod(partition.leaf_grid)
    blocks = torch.empty((count, math.prod(partition.leaf_shape)), dtype=dtype, device=device)
    rest = np.ones(count, bool)
    rest[model.tree.leaves] = False
    if rest.any():
        constants = torch.from_numpy(model.constants.copy()).to(device)
        signed(blocks)[torch.from_numpy(np.flatnonzero(rest)).to(device)] = signed(constants)[:, None]
    return blocks


def _tile_size(model: Model, device: torch.device) -> int:
    """Number of local coordinates to evaluate at a time."""
    widest = max((tensor.nodes * max(tensor.rows, tensor.columns) for tensor in model.tree.tensors), default=1)
    return max(16, (_TILE if device.type == "cpu" else _GPU_TILE) // widest)


_proofs: dict[Hashable, bool] = {}
"""Whether a kernel has given what the reference gives, for devices and kinds of trees."""


@cache
def _sine_table(device: torch.device) -> torch.Tensor:
    import torch

    return torch.as_tensor(inference.sine_table().copy(), device=device)


def _evaluator(model: Model, device: torch.device) -> Evaluator:
    """What gives the leaves' scaled sums ``(leaves, points)``: a kernel on a GPU, where it holds the tree."""
    why = "no CUDA device" if device.type != "cuda" else _refusal(model)
    if why is not None:
        log.debug("a chunk is decoded on %s layer by layer: %s", device, why)
        return _layer_by_layer(model, device)
    from tinc_codec.backends.triton.decoding import FusedModel

    log.debug("a chunk is decoded on %s by a fused kernel", device)
    kind = (device, *((tensor.rows, tensor.columns, tensor.linear) for tensor in model.tree.tensors))
    return _proved(FusedModel(model, device), _layer_by_layer(model, device), kind)


def _proved(fused: Evaluator, reference: Evaluator, kind: Hashable) -> Evaluator:
    """A kernel's results, once they have been those of the reference for a kind of tree; else the reference's.

    Kernels are compiled where they run, for devices and by versions of Triton that no test has seen.
    """
    import torch

    def evaluate(coordinates: torch.Tensor) -> torch.Tensor:
        if _proofs.get(kind):
            return fused(coordinates)
        expected = reference(coordinates)
        if kind not in _proofs:
            _proofs[kind] = torch.equal(fused(coordinates), expected)
            if not _proofs[kind]:
                log.warning("a fused kernel does not decode %s to the bit: it is done layer by layer", kind)
        return expected

    return evaluate


def _refusal(model: Model) -> str | None:
    if find_spec("triton") is None:
        return "Triton is not installed"
    return refusal(model.tree)


def _layer_by_layer(model: Model, device: torch.device) -> Evaluator:
    import torch

    # "medium" lets products be done in bfloat16, which does not hold 11 bits
    exact = torch.float64 if torch.get_float32_matmul_precision() == "medium" else torch.float32
    table = _sine_table(device)
    layers = [
        (
            torch.as_tensor(values.weights, device=device, dtype=exact),
            torch.as_tensor(values.biases * np.int32(values.multiplier), device=device, dtype=exact),
        )
        for values in model.layers
    ]

    def layer(number: int, x: torch.Tensor) -> torch.Tensor:
        tensor, (w, b) = model.tree.tensors[number], layers[number]
        above = len(x)
        sums = torch.matmul(w.view(above, -1, tensor.columns), x.to(exact)) + b.view(above, -1, 1)
        sums = sums.view(tensor.nodes, tensor.rows, x.shape[-1])
        if tensor.linear:
            return sums.double() * model.layers[number].scale
        scale = torch.tensor(model.layers[number].scale, device=device, dtype=torch.float32)
        phase = torch.round(sums.float() * scale).to(torch.int32)
        return table[(phase & (inference.TURN - 1)).long()]

    def evaluate(coordinates: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = model.tree.evaluate(coordinates[None], layer, torch.cat)
        return outputs[:, 0]

    return evaluate


def _to_intensity(outputs: torch.Tensor, model: Model, dtype: torch.dtype) -> torch.Tensor:
    """`tinc_codec.tree.inference.to_intensity`, where the outputs are."""
    import torch

    if model.dtype == np.float16:  # torch rounds float64 to float16 twice
        return torch.from_numpy(inference.to_intensity(outputs.cpu().numpy(), model)).to(outputs.device)
    if model.dtype.kind == "f":
        return (outputs + float(model.offset)).clamp(float(model.low), float(model.high)).to(dtype)
    limit = float(2**63 - 1024)
    steps = torch.round(outputs).clamp(-limit, limit).to(torch.int64)
    # modulo 2^64; no number of steps is larger than int64 holds, so a way that is changes nothing
    offset, most = int(model.offset), 2**63 - 1
    up, down = (min(way, most) for way in (int(model.high) - offset, offset - int(model.low)))
    wrapped = offset - 2**64 if offset > most else offset
    values = wrapped + steps.clamp(-down, up)
    return values.view(dtype) if dtype == torch.uint64 else values.to(dtype)


def from_blocks(blocks: torch.Tensor, partition: Partition) -> torch.Tensor:
    """The volume that `Partition.to_blocks` cuts, where the blocks are."""
    import torch

    numbers = torch.from_numpy(partition.leaf_numbers).to(blocks.device)
    axes = len(partition.shape)
    order = [place for axis in range(axes) for place in (axis, axes + axis)]
    volume = signed(blocks)[numbers].view(*partition.leaf_grid, *partition.leaf_shape).permute(order)
    volume = volume.reshape([g * s for g, s in zip(partition.leaf_grid, partition.leaf_shape, strict=True)])
    for axis, cells in enumerate(partition.present_cells()):
        if cells is not None:
            volume = volume.index_select(axis, torch.from_numpy(cells).to(blocks.device))
    return volume.view(blocks.dtype)
