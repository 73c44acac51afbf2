"""The decoder in torch, on a CPU or a GPU; the same bytes as `tinc_codec.tree.inference`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import ConfigurationError, MissingDependencyError
from tinc_codec.tree import inference
from tinc_codec.tree.model import Model

if TYPE_CHECKING:
    import torch


def decode(model: Model, device: str) -> NDArray[Any]:
    """Evaluate a model over its whole chunk on a torch device.

    Raises
    ------
    MissingDependencyError
        torch is not installed.
    ConfigurationError
        torch cannot use `device`.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"decoding on device {device!r} needs torch: pip install 'tinc-codec[torch]', or unset TINC_DEVICE"
        ) from error
    try:
        place = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigurationError(f"device {device!r} cannot be used: {error}") from error
    blocks = inference.constant_blocks(model)
    if not len(model.tree.leaves):
        return model.tree.partition.from_blocks(blocks)
    coordinates = torch.as_tensor(inference.local_coordinates(model.tree.partition.leaf_shape), device=place)
    tile = inference.tile_size(model)
    with torch.inference_mode(), torch.autocast(place.type, enabled=False):
        evaluate = _evaluator(model, place)
        for start in range(0, coordinates.shape[1], tile):
            part = slice(start, start + tile)
            outputs = evaluate(coordinates[:, part]).cpu().numpy()
            blocks[model.tree.leaves, part] = inference.to_intensity(outputs, model)
    return model.tree.partition.from_blocks(blocks)


def _evaluator(model: Model, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    import torch

    # "medium" lets products be done in bfloat16, which does not hold 11 bits
    exact = torch.float64 if torch.get_float32_matmul_precision() == "medium" else torch.float32
    table = torch.as_tensor(inference.sine_table().copy(), device=device)
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
