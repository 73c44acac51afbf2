"""xarray: the encoding that makes ``Dataset.to_zarr`` compress its variables with TINC."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.zarr3 import zarr_kwargs
from tinc_codec.jobs.source_tree import SMALLEST
from tinc_codec.stream.container import supported

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger("tinc_codec")


def xarray_encoding(
    ds: xr.Dataset, codec: TINCCodec, *, zarr_format: Literal[2, 3] = 3, chunks: dict[str, int] | None = None
) -> dict[str, dict[str, Any]]:
    """Encoding for ``ds.to_zarr(store, zarr_format=..., encoding=...)``.

    Variables that TINC is for get the codec: integers and floats with two axes or more that are not coordinates and not
    small. What stands for a missing value (``_FillValue``, ``missing_value``) is added to each one's exact values, so
    that as many are missing when the dataset is opened again, and in the same places.

    Parameters
    ----------
    ds
        The dataset; it is not loaded.
    codec
        How to compress. With ``scale_factor`` or ``dtype`` in a variable's encoding the codec sees the packed values,
        and its targets are in their units.
    zarr_format
        2 or 3, as given to ``to_zarr``.
    chunks
        Edges of the stored chunks by dimension; None: xarray's choice, which is the blocks of a dask array.

    Returns
    -------
    dict
        By variable. What the variables' own encoding says (fill value, packing) stays in force.

    Examples
    --------
    >>> encoding = xarray_encoding(ds, TINCCodec(ratio=32))  # doctest: +SKIP
    >>> ds.to_zarr("a.zarr", zarr_format=3, encoding=encoding)  # doctest: +SKIP
    """
    made: dict[str, dict[str, Any]] = {}
    for name, variable in ds.data_vars.items():
        stored = np.dtype(variable.encoding.get("dtype", variable.dtype))
        if variable.ndim < 2 or variable.size < SMALLEST or not supported(stored):
            continue
        exact = (*codec.config.exact_values, *_missing(variable))
        config = replace(codec.config, exact_values=tuple(dict.fromkeys(exact)))
        slots = zarr_kwargs(TINCCodec.from_settings(config), zarr_format=zarr_format)
        kept = ("_FillValue", "missing_value", "scale_factor", "add_offset", "dtype")
        encoding = {key: variable.encoding[key] for key in kept if key in variable.encoding}
        encoding |= {key: value for key, value in slots.items() if key in ("serializer", "compressors", "filters")}
        if chunks is not None:
            encoding["chunks"] = tuple(
                chunks.get(str(d), n) for d, n in zip(variable.dims, variable.shape, strict=True)
            )
        made[str(name)] = encoding
    if not made:
        log.warning("no variable of the dataset is for TINC: they are small, one-dimensional, or of other dtypes")
    return made


def _missing(variable: xr.DataArray) -> list[float]:
    found = (
        place.get(name) for place in (variable.encoding, variable.attrs) for name in ("_FillValue", "missing_value")
    )
    return [float(value) if np.asarray(value).dtype.kind == "f" else int(value) for value in found if value is not None]
