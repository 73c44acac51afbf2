"""The one place that chooses who works on chunks: NumPy (the reference), numba or torch.

Decoded bytes are the same. Where a device encodes, choices may differ that hang on the last bits of sums of floats.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.protocol import Backend
from tinc_codec.detail.work import EncodingWork
from tinc_codec.errors import MissingDependencyError
from tinc_codec.runtime.settings import process
from tinc_codec.tree.node_layout import NodeLayout

log = logging.getLogger("tinc_codec")

BACKENDS = {"numpy": "tinc_codec.backends.reference", "numba": "tinc_codec.backends.numba.backend"}
"""Modules by the name that the process's setting ``decoder`` has for them."""


LEAST_ON_DEVICE = 2**22
"""Voxels of a chunk from which coefficients are worked on by a device. A chunk of any size takes some 60,000 launches:
about a third of a second, in which two cores encode 2^21 voxels. No GPU has measured it yet."""

T = TypeVar("T")


def backend() -> Backend:
    """The backend of this process on the CPU.

    Raises
    ------
    MissingDependencyError
        The process was told to use numba, which is not installed.
    """
    return _backend(process().decoder)


def backend_name() -> str:
    """Its name: ``"numpy"`` or ``"numba"``."""
    return _name(process().decoder)


def named_device() -> str | None:
    """The torch device that the process names for more than training; None: there is none, the CPU works."""
    device = process().device
    return None if device in ("auto", "cpu") else device


def whole(layout: NodeLayout) -> NDArray[Any]:
    """All samples of a sine tree, in the partition's shape; by torch where the process names a device for it."""
    device = named_device()
    if device is None:
        return backend().at_product(layout, [np.arange(n) for n in layout.model.tree.partition.shape])
    from tinc_codec.backends.torch import inference

    return inference.decode(layout.model, device)


def with_coefficients(voxels: int, work: Callable[[EncodingWork], T]) -> T:
    """Have coefficients of a chunk worked on, for encoding: on the device that the process names, or by the CPU.

    Parameters
    ----------
    voxels
        Of the chunk: one of fewer than `LEAST_ON_DEVICE` is worked on by the CPU.
    work
        What is done; again from its beginning, by the CPU, where the device's memory does not hold it.

    Raises
    ------
    MissingDependencyError, ConfigurationError
        torch is not installed, or cannot use the device.
    """
    device, host = named_device(), backend().detail
    if device is None or voxels < LEAST_ON_DEVICE:
        return work(host)
    from tinc_codec.backends.torch.detail.work import within_memory
    from tinc_codec.backends.torch.inference import find_device

    return within_memory(find_device(device), host, work)


def forget() -> None:
    """Look again which backends there are."""
    _backend.cache_clear()
    _name.cache_clear()


@cache
def _backend(decoder: str) -> Backend:
    return cast(Backend, import_module(BACKENDS[_name(decoder)]))


@cache
def _name(decoder: str) -> str:
    """What ``"auto"`` stands for here; a name that is given must be usable."""
    if decoder == "numpy" or (decoder == "auto" and (find_spec("numba") is None or sys.byteorder == "big")):
        return "numpy"  # compiled code takes pairs of 16 bits for 32, as they lie on little-endian processors
    try:
        import numba  # noqa: F401
    except ImportError as error:
        if decoder == "auto":
            log.warning("chunks are decoded by NumPy, slowly, since numba cannot be imported: %s", error)
            return "numpy"
        raise MissingDependencyError("decoder 'numba' needs numba: pip install 'tinc-codec[fast]'") from error
    return "numba"
