"""xarray: the encoding that makes ``Dataset.to_zarr`` compress its variables with TINC."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.images import Candidate, names_given, why_exact
from tinc_codec.hosts.patterns import Choice
from tinc_codec.hosts.regions import Regions
from tinc_codec.hosts.samples import sampled, why_not_amounts
from tinc_codec.hosts.zarr3 import zarr_kwargs
from tinc_codec.stream.container import supported

if TYPE_CHECKING:
    import xarray as xr

_EDGE, _LOOKED_AT = 64, 6
"""Edge along the last three axes, and number, of the blocks of a variable that are looked at."""

log = logging.getLogger("tinc_codec")


def xarray_encoding(
    ds: xr.Dataset,
    codec: TINCCodec,
    *,
    zarr_format: Literal[2, 3] = 3,
    chunks: dict[str, int] | None = None,
    exact: str | Sequence[str] = (),
    lossy: str | Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """Encoding for ``ds.to_zarr(store, zarr_format=..., encoding=...)``.

    Variables that are images get the codec, by the rule of `tinc_codec.compress`: not masks, flags, times, bounds and
    other coordinates, tables, or what looks like labels; a few blocks of a variable are looked at. What
    stands for a missing value (``_FillValue``, ``missing_value``) is added to each one's exact values, so that as many
    are missing when the dataset is opened again, and in the same places.

    Parameters
    ----------
    ds
        The dataset; it is not loaded as a whole.
    codec
        How to compress. With ``scale_factor`` or ``dtype`` in a variable's encoding the codec sees the packed values,
        and its targets are in their units.
    zarr_format
        2 or 3, as given to ``to_zarr``.
    chunks
        Edges of the stored chunks by dimension; None: xarray's choice, which is the blocks of a dask array.
    exact, lossy
        Patterns for names of variables: which stay exact, and which get the codec, whatever the rule says.

    Returns
    -------
    dict
        By variable. What the variables' own encoding says (fill value, packing) stays in force.

    Examples
    --------
    >>> encoding = xarray_encoding(ds, TINCCodec(ratio=32))  # doctest: +SKIP
    >>> ds.to_zarr("a.zarr", zarr_format=3, encoding=encoding)  # doctest: +SKIP
    """
    choice = Choice.parse(exact, lossy)
    choice.check(map(str, ds.data_vars))
    encodings: dict[str, dict[str, Any]] = {}
    around = [_attributes(variable) for variable in ds.variables.values()]
    for name, variable in ds.data_vars.items():
        if _why_exact(str(name), variable, around, codec.config, choice) is not None:
            continue
        values = (*codec.config.exact_values, *_missing(variable))
        config = replace(codec.config, exact_values=tuple(dict.fromkeys(values)))
        slots = zarr_kwargs(TINCCodec.from_settings(config), zarr_format=zarr_format)
        kept = ("_FillValue", "missing_value", "scale_factor", "add_offset", "dtype")
        encoding = {key: variable.encoding[key] for key in kept if key in variable.encoding}
        encoding |= {key: value for key, value in slots.items() if key in ("serializer", "compressors", "filters")}
        if chunks is not None:
            encoding["chunks"] = tuple(
                chunks.get(str(d), n) for d, n in zip(variable.dims, variable.shape, strict=True)
            )
        encodings[str(name)] = encoding
    if not encodings:
        log.warning("no variable of the dataset is for TINC: all must stay exact")
    return encodings


def _attributes(variable: Any) -> dict[str, Any]:
    """Attributes of a variable, with those that xarray keeps in its encoding."""
    return {**variable.encoding, "dtype": variable.attrs.get("dtype", ""), **variable.attrs}


def _why_exact(
    name: str, variable: xr.DataArray, around: list[dict[str, Any]], config: Config, choice: Choice
) -> str | None:
    """Why a variable stays exact, by the rule that holds for arrays of a store."""
    stored = np.dtype(variable.encoding.get("dtype", variable.dtype))
    lossy, exact = choice.lossy_by(name), choice.exact_by(name)
    if lossy is not None and not (supported(stored) and supported(variable.dtype)):
        raise ConfigurationError(f"lossy={lossy!r}: variable {name!r} has dtype {variable.dtype}: TINC cannot code it")
    if lossy is not None or exact is not None:
        return None if lossy is not None else f"asked for by exact={exact!r}"
    dimensions = tuple(map(str, variable.dims))
    candidate = Candidate(
        name, variable.shape, stored if supported(variable.dtype) else variable.dtype, _attributes(variable), dimensions
    )
    reason = why_exact(replace(candidate, named=names_given(around), axes=frozenset(dimensions)))
    if reason is not None or config.target.lossless:
        return reason
    scale = float(variable.encoding.get("scale_factor", 1))
    bound = config.target.largest_error
    bound = None if bound is None else abs(scale) * bound
    return why_not_amounts(sampled(_chunks(variable), bound), bound)


def _chunks(variable: xr.DataArray) -> Iterator[NDArray[Any]]:
    edges = tuple(_EDGE if axis >= variable.ndim - 3 else 1 for axis in range(variable.ndim))
    regions = Regions(tuple(variable.shape), tuple(map(min, edges, variable.shape)))
    yield from (np.asarray(variable[regions.at(index)].values) for index in regions.sample(_LOOKED_AT))


def _missing(variable: xr.DataArray) -> list[float]:
    places, names = (variable.encoding, variable.attrs), ("_FillValue", "missing_value")
    values = [place[name] for place in places for name in names if place.get(name) is not None]
    return [float(value) if np.asarray(value).dtype.kind == "f" else int(value) for value in values]
