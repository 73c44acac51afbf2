"""The one place that chooses who decodes: NumPy (the reference), numba or torch. The bytes are the same."""

from __future__ import annotations

import logging
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.protocol import Backend
from tinc_codec.errors import MissingDependencyError
from tinc_codec.runtime.settings import process
from tinc_codec.tree.node_layout import NodeLayout

log = logging.getLogger("tinc_codec")

BACKENDS = {"numpy": "tinc_codec.backends.reference", "numba": "tinc_codec.backends.numba.backend"}
"""Modules by the name that the process's setting ``decoder`` has for them."""


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


def whole(layout: NodeLayout) -> NDArray[Any]:
    """All samples of a sine tree, in the partition's shape; by torch where the process names a device for it."""
    device = process().device
    if device in ("auto", "cpu"):
        return backend().at_product(layout, [np.arange(n) for n in layout.model.tree.partition.shape])
    from tinc_codec.backends.torch import inference

    return inference.decode(layout.model, device)


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
