"""TINC: compression of huge microscopy arrays by trees of small sine networks, for Zarr, dask and xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinc_codec.codec import TINCCodec
from tinc_codec.config import Config, Process, process, set_process
from tinc_codec.decoding import Quality, decode
from tinc_codec.errors import (
    ConfigurationError,
    CorruptStreamError,
    MissingDependencyError,
    NewerVersionError,
    TincError,
    TrainingCancelledError,
    TrainingError,
    UnsupportedDataError,
)

if TYPE_CHECKING:
    from tinc_codec.zarr3 import TINCSerializer, zarr_kwargs

__version__ = "0.2.0"

__all__ = [
    "Config",
    "ConfigurationError",
    "CorruptStreamError",
    "MissingDependencyError",
    "NewerVersionError",
    "Process",
    "Quality",
    "TINCCodec",
    "TINCSerializer",
    "TincError",
    "TrainingCancelledError",
    "TrainingError",
    "UnsupportedDataError",
    "decode",
    "process",
    "set_process",
    "zarr_kwargs",
]


def __getattr__(name: str) -> Any:
    # zarr takes most of a second to import, and using the codec through numcodecs does not need it
    if name in ("TINCSerializer", "zarr_kwargs"):
        from tinc_codec import zarr3

        return getattr(zarr3, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
