"""TINC: compression of huge microscopy arrays by trees of coefficients and networks, for Zarr, dask and xarray."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinc_codec.config import Config
from tinc_codec.decoding.decode import Quality, decode, sample
from tinc_codec.errors import (
    ConfigurationError,
    CorruptStreamError,
    JobError,
    LimitError,
    MissingDependencyError,
    NewerVersionError,
    OutOfMemoryError,
    PartialWriteWarning,
    SelectionError,
    SourceError,
    TincError,
    TrainingCancelledError,
    TrainingError,
    UnsupportedDataError,
)
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.runtime.settings import Process, process, set_process

if TYPE_CHECKING:
    from tinc_codec.decoding.inspect import inspect
    from tinc_codec.decoding.tensors import decode_batch
    from tinc_codec.hosts.multiscale import open_multiscale
    from tinc_codec.hosts.stored import stored_chunks
    from tinc_codec.hosts.xarray_encoding import xarray_encoding
    from tinc_codec.hosts.zarr3 import TINCSerializer, zarr_kwargs
    from tinc_codec.jobs.compress import compress, plan
    from tinc_codec.jobs.export import export, export_tiff
    from tinc_codec.noise_level import noise

__version__ = "0.5.0"

__all__ = [
    "Config",
    "ConfigurationError",
    "CorruptStreamError",
    "JobError",
    "LimitError",
    "MissingDependencyError",
    "NewerVersionError",
    "OutOfMemoryError",
    "PartialWriteWarning",
    "Process",
    "Quality",
    "SelectionError",
    "SourceError",
    "TINCCodec",
    "TINCSerializer",
    "TincError",
    "TrainingCancelledError",
    "TrainingError",
    "UnsupportedDataError",
    "compress",
    "decode",
    "decode_batch",
    "export",
    "export_tiff",
    "inspect",
    "noise",
    "open_multiscale",
    "plan",
    "process",
    "sample",
    "set_process",
    "stored_chunks",
    "xarray_encoding",
    "zarr_kwargs",
]


_LATER = {
    "inspect": "tinc_codec.decoding.inspect",
    "stored_chunks": "tinc_codec.hosts.stored",
    "TINCSerializer": "tinc_codec.hosts.zarr3",
    "compress": "tinc_codec.jobs.compress",
    "decode_batch": "tinc_codec.decoding.tensors",
    "export": "tinc_codec.jobs.export",
    "export_tiff": "tinc_codec.jobs.export",
    "noise": "tinc_codec.noise_level",
    "open_multiscale": "tinc_codec.hosts.multiscale",
    "plan": "tinc_codec.jobs.compress",
    "xarray_encoding": "tinc_codec.hosts.xarray_encoding",
    "zarr_kwargs": "tinc_codec.hosts.zarr3",
}


def __getattr__(name: str) -> Any:
    # zarr takes most of a second to import, and using the codec through numcodecs does not need it; dask is an extra
    if name in _LATER:
        try:
            return getattr(import_module(_LATER[name]), name)
        except ModuleNotFoundError as error:
            raise MissingDependencyError(f"{name} needs {error.name}: pip install 'tinc-codec[dask]'") from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
