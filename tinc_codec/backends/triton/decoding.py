"""Whole chunks decoded by kernels; the same bytes as `tinc_codec.tree.inference`."""

from __future__ import annotations

import numpy as np
import torch

from tinc_codec.backends.triton import integers
from tinc_codec.backends.triton.tiles import constants
from tinc_codec.tree.chains import Chain, chains
from tinc_codec.tree.inference import sine_table
from tinc_codec.tree.model import Model


class FusedModel:
    """Evaluates a chunk's networks on a device.

    Parameters
    ----------
    model
        Its tree is one that `tinc_codec.backends.triton.limits.refusal` has nothing against.
    """

    def __init__(self, model: Model, device: torch.device) -> None:
        def there(values: object, dtype: torch.dtype) -> torch.Tensor:
            return torch.as_tensor(np.asarray(values), dtype=dtype, device=device)

        cut = chains(model.tree)
        parts = [part for layer in model.layers for part in (layer.weights, layer.biases * np.int32(layer.multiplier))]
        scales = [layer.scale for layer in model.layers]
        self._slots = cut.slots
        self._theta = there(np.concatenate([part.ravel() for part in parts]), torch.float32)
        self._table = there(sine_table().copy(), torch.float32)
        self._chains = [
            (
                chain,
                there(chain.offsets, torch.int64),
                there(chain.parents, torch.int32),
                there([scales[tensor] for tensor in chain.tensors], torch.float32),
            )
            for chain in cut.chains
        ]
        self._scales = there(_of_leaves(cut.chains, scales), torch.float64)

    def __call__(self, coordinates: torch.Tensor) -> torch.Tensor:
        """Scaled sums of the leaves, float64 ``(leaves, points)``, at integer coordinates ``(axes, points)``."""
        x = coordinates.float().contiguous()
        points = x.shape[1]
        slots = [x[None], *(x.new_empty((slot.nodes, slot.width, points)) for slot in self._slots[1:])]
        for chain, offsets, parents, scales in self._chains:
            shape = constants(chain, integers.PRECISION)
            sizes = (chain.first, points, chain.columns, chain.width)
            given = (slots[chain.source], self._theta, slots[chain.target], offsets, parents, scales, self._table)
            grid = (-(-points // shape["TILE"]), chain.nodes)
            with torch.cuda.device_of(x):  # type: ignore[no-untyped-call]  # kernels are the current device's
                integers.decode[grid](*given, *sizes, **shape, enable_fp_fusion=False)
        return slots[-1][:, 0].double() * self._scales[:, None]


def _of_leaves(cut: tuple[Chain, ...], scales: list[float]) -> list[float]:
    """The scale of each leaf's linear layer."""
    last = [chain for chain in cut if chain.linear]
    return [scales[chain.tensors[-1]] for chain in sorted(last, key=lambda chain: chain.first) for _ in chain.parents]
