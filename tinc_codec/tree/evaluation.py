"""Models at selections of positions, by the fastest decoder that there is; the bytes are the same."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import MissingDependencyError
from tinc_codec.runtime import process
from tinc_codec.tree import inference
from tinc_codec.tree.ancestors import Ancestors
from tinc_codec.tree.paths import Paths
from tinc_codec.tree.wanted import Piece, Positions, points, product

log = logging.getLogger("tinc_codec")


def at_product(paths: Paths, positions: Sequence[Positions], ancestors: Ancestors | None = None) -> NDArray[Any]:
    """Samples at the product of positions along each axis, in voxels; dtype of the model.

    `ancestors` are those of earlier reads, and get what this one adds.
    """
    wanted = product(paths.model.tree.partition, positions)
    return wanted.arranged(_filled(paths, wanted.pieces(), math.prod(wanted.shape), ancestors))


def at_points(paths: Paths, positions: Positions) -> NDArray[Any]:
    """Samples at single positions, ``(axes, points)``, in voxels; dtype of the model."""
    return _filled(paths, points(paths.model.tree.partition, positions), positions.shape[1])


def whole(paths: Paths) -> NDArray[Any]:
    """All samples, in the partition's shape; in torch where the process names another device than the CPU."""
    device = process().device
    if device not in ("auto", "cpu"):
        from tinc_codec.tree import inference_torch

        return inference_torch.decode(paths.model, device)
    return at_product(paths, [np.arange(n) for n in paths.model.tree.partition.shape])


def compiled() -> bool:
    """Whether this process decodes with numba.

    Raises
    ------
    MissingDependencyError
        It was told to, but numba is not installed.
    """
    return _decoder(process().decoder) is not inference


def _filled(paths: Paths, pieces: Iterable[Piece], size: int, ancestors: Ancestors | None = None) -> NDArray[Any]:
    decoder: Any = _decoder(process().decoder)
    dtype = paths.model.dtype
    output = np.empty(size, np.float64 if decoder is not inference and dtype == np.float16 else dtype)
    decoder.fill(paths, pieces, output, ancestors)
    return output.astype(dtype, copy=False)


@cache
def _decoder(name: str) -> ModuleType:
    if name == "numpy" or (name == "auto" and (find_spec("numba") is None or sys.byteorder == "big")):
        return inference  # pairs of 16 bits lie in 32 as little-endian processors have them
    try:
        from tinc_codec.tree import inference_numba
    except ImportError as error:
        if name == "auto":
            log.warning("chunks are decoded by NumPy, slowly, since numba cannot be imported: %s", error)
            return inference
        raise MissingDependencyError("decoder 'numba' needs numba: pip install 'tinc-codec[fast]'") from error
    return inference_numba
