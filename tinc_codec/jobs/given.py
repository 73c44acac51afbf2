"""Sources that are not Zarr: TIFF files, and dask, NumPy and xarray objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinc_codec.encoding.prepared import check_dtype
from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.sources import ArrayReader, DaskSource, SampleSource
from tinc_codec.jobs.tiff import SUFFIXES, open_tiff

KNOWN = (
    "a Zarr array or group, a path or URL of one, the path of a TIFF, a dask array, a NumPy array, or an xarray "
    "DataArray without coordinates"
)
"""What can be a source."""


@dataclass(frozen=True, eq=False)
class GivenArray:
    """One array of a source that is not Zarr.

    Parameters
    ----------
    path
        In the group that is made of the source; empty: it is the only one, and there is no group.
    reader
        Gives its samples.
    names
        Of its axes; empty where nothing says.
    attributes
        For the array that is made of it.
    missing
        Values that stand for missing samples.
    """

    path: str
    reader: SampleSource
    names: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Given:
    """A source that is not Zarr.

    Parameters
    ----------
    name
        For people.
    arrays
        What it holds.
    described
        Attributes of the group that is made of it, as OME-Zarr 0.5 has them; None: no group is made.
    """

    name: str
    arrays: tuple[GivenArray, ...]
    described: Mapping[str, Any] | None = None


def open_given(source: Any) -> Given | None:
    """Open a source that is not Zarr; None where it is something else.

    Raises
    ------
    ConfigurationError
        Not all of it would come along, or its shape is not known.
    UnsupportedDataError
        It has a dtype that cannot be stored.
    MissingDependencyError
        A package that reads it is not installed.
    """
    if isinstance(source, str | Path):
        return _tiff(str(source)) if str(source).lower().endswith(SUFFIXES) else None
    if isinstance(source, np.ndarray):
        return _one("NumPy array", _in_memory(source))
    library = type(source).__module__.split(".")[0]
    if library == "dask":
        return _one("dask array", _dask(source))
    if library == "xarray":
        return _labelled(source)
    return None


def _one(name: str, reader: SampleSource) -> Given:
    return Given(name, (GivenArray("", reader),))


def _in_memory(array: Any) -> ArrayReader:
    if isinstance(array, np.ma.MaskedArray):
        raise ConfigurationError("the source is a masked array: give array.filled(value), with exact_values=value")
    check_dtype(array.dtype)
    return ArrayReader(np.asarray(array))


def _tiff(path: str) -> Given:
    described, arrays = open_tiff(path)
    return Given(path, tuple(GivenArray(a.path, a.reader, a.reader.names) for a in arrays), described)


def _dask(array: Any) -> DaskSource:
    import dask.array as da

    if not isinstance(array, da.Array):
        raise ConfigurationError(f"the source is a {type(array).__name__} of dask, not an array: give {KNOWN}")
    unknown = [axis for axis, sizes in enumerate(array.chunks) if any(map(math.isnan, sizes))]
    if unknown:
        raise ConfigurationError(
            f"the dask array's blocks have unknown sizes along axis {unknown[0]}: let dask find them out with "
            "array.compute_chunk_sizes()"
        )
    check_dtype(array.dtype)
    return DaskSource(array)


def _labelled(source: Any) -> Given:
    """An xarray ``DataArray`` or ``Variable``, whose names of axes and attributes come along."""
    import xarray as xr

    if isinstance(source, xr.Dataset | xr.DataTree):
        raise ConfigurationError(
            f"the source is an xarray {type(source).__name__}, which xarray itself writes, with its coordinates: "
            "ds.to_zarr(store, zarr_format=3, encoding=tinc_codec.xarray_encoding(ds, codec))"
        )
    if not isinstance(source, xr.DataArray | xr.Variable):
        raise ConfigurationError(f"the source is a {type(source).__name__} of xarray: give {KNOWN}")
    variable = source.variable if isinstance(source, xr.DataArray) else source
    if isinstance(source, xr.DataArray) and source.coords:
        raise ConfigurationError(
            f"the source has coordinates ({', '.join(map(str, source.coords))}), for which an array has no place: make "
            "ds = array.to_dataset(name='image') and write it with ds.to_zarr(store, zarr_format=3, "
            "encoding=tinc_codec.xarray_encoding(ds, codec)), or leave them out with array.drop_vars(array.coords)"
        )
    if not variable.chunks and not variable._in_memory:
        raise ConfigurationError(
            "the source was opened by xarray and is not in memory: give array.chunk(), or array.load()"
        )
    reader = _dask(variable.data) if variable.chunks else _in_memory(variable.data)
    attributes = {str(key): _plain(str(key), value) for key, value in variable.attrs.items()}
    values = (variable.attrs.get(name) for name in ("_FillValue", "missing_value"))
    missing = tuple(np.asarray(value).item() for value in values if isinstance(value, int | float | np.number))
    names = tuple(map(str, variable.dims))
    return Given("xarray array", (GivenArray("", reader, names, attributes, missing),))


def _plain(key: str, value: Any) -> Any:
    """An attribute as JSON has it."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"attribute {key!r} of the source is a {type(value).__name__}, which JSON has no word for: change it, or "
            "remove it"
        ) from error
