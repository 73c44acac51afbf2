"""What a source holds: which arrays are compressed, which are copied and why, and the groups around them."""

from __future__ import annotations

import base64
import binascii
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.errors import ArrayNotFoundError, GroupNotFoundError, NodeNotFoundError, ZarrUserWarning

from tinc_codec.arrays.inventory import Inventory, take_inventory
from tinc_codec.arrays.ome import label_groups
from tinc_codec.arrays.place import local_path
from tinc_codec.arrays.readers import DaskReader, Reader, TiffReader, ZarrReader
from tinc_codec.arrays.stores import is_of_this_process, open_source_store
from tinc_codec.errors import ConfigurationError
from tinc_codec.source import check_dtype
from tinc_codec.stream.container import supported
from tinc_codec.zarr3 import is_compressed

SMALLEST = 4096
"""Voxels below which an array of a group is copied as it is: tables and coordinates must stay exact."""

ALREADY = "already compressed by TINC"
"""Why an array is copied whose samples would lose twice."""

TIFF_SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Member:
    """One array of a source.

    Parameters
    ----------
    path
        Within the source; empty where the source is the array.
    reader
        Gives its samples.
    array
        The Zarr array; None where the source is something else.
    copied
        Why it is copied as it is; None where the codec is for it.
    missing
        Values that stand for missing samples, which must come back exactly.
    """

    path: str
    reader: Reader
    array: zarr.Array[Any] | None
    copied: str | None
    missing: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Group:
    """A group of a source: its path and attributes."""

    path: str
    attributes: dict[str, Any]
    consolidated: bool


@dataclass(frozen=True, eq=False)
class Source:
    """A source that is open.

    Parameters
    ----------
    name
        As it was given.
    groups, members
        What it holds; no groups where it is one array.
    zarr_format
        Of the source; None where it is not Zarr.
    directory
        Where it lies, if it is a Zarr store in a local directory.
    inventory
        What its files are; None where it is not Zarr.
    """

    name: str
    groups: tuple[Group, ...]
    members: tuple[Member, ...]
    zarr_format: int | None
    directory: Path | None
    inventory: Inventory | None = None


def open_source(given: Any, storage_options: Mapping[str, Any] | None = None) -> Source:
    """Open what was given: a Zarr array or group, a path or URL of one, a TIFF, or a dask array.

    Raises
    ------
    ConfigurationError
        There is no Zarr array or group, or only this process can see it.
    UnsupportedDataError
        A single array has a dtype that cannot be stored.
    """
    if isinstance(given, str | Path) and str(given).lower().endswith(TIFF_SUFFIXES):
        if not Path(given).exists():
            raise ConfigurationError(f"source {str(given)!r} does not exist")
        return _single(str(given), TiffReader.open(str(given)))
    if type(given).__module__.startswith("dask."):
        return _single("dask array", DaskReader(given))
    return _zarr_source(given, storage_options)


def _single(name: str, reader: Reader) -> Source:
    check_dtype(reader.dtype)
    return Source(name, (), (Member("", reader, None, None),), None, None)


def _zarr_source(given: Any, storage_options: Mapping[str, Any] | None) -> Source:
    node = given if isinstance(given, zarr.Array | zarr.Group) else open_zarr(given, storage_options)
    if is_of_this_process(node.store):
        raise ConfigurationError("the source is in the memory of this process, which workers cannot see: save it first")
    root = getattr(node.store, "root", None)
    directory = root / node.path if isinstance(root, Path) else None
    inventory = take_inventory(node.store_path)
    name, zarr_format = str(node.store_path), node.metadata.zarr_format
    if isinstance(node, zarr.Array):
        member = _member("", node, {}, False, whole=True)
        if member.copied is None:
            check_dtype(member.reader.dtype)
        return Source(name, (), (member,), zarr_format, directory, inventory)
    found = dict(sorted(_members(node), key=lambda pair: pair[0]))
    groups = {"": node, **{path: found for path, found in found.items() if isinstance(found, zarr.Group)}}
    attributes = {path: dict(group.attrs) for path, group in groups.items()}
    labels = label_groups(attributes)
    arrays = {path: found for path, found in found.items() if isinstance(found, zarr.Array)}
    coordinates = set(_coordinates([*attributes.values(), *(dict(array.attrs) for array in arrays.values())]))
    members = tuple(
        _member(path, array, coordinates, any(path.startswith(f"{label}/") for label in labels))
        for path, array in arrays.items()
    )
    return Source(
        name,
        tuple(Group(path, attributes[path], _consolidated(group)) for path, group in groups.items()),
        members,
        zarr_format,
        directory,
        inventory,
    )


def _members(group: zarr.Group) -> list[tuple[str, zarr.Array[Any] | zarr.Group]]:
    with warnings.catch_warnings():  # files that are no node's are known to be there, and are copied
        warnings.filterwarnings("ignore", "Object at", ZarrUserWarning)
        return list(group.members(max_depth=None))


def open_zarr(place: Any, storage_options: Mapping[str, Any] | None = None) -> zarr.Array[Any] | zarr.Group:
    """Open a path, or a URL that fsspec knows, for reading.

    Raises
    ------
    ConfigurationError
        There is no Zarr array or group.
    """
    store: Any = place
    if isinstance(place, str | Path):
        path = local_path(place)
        # resolved: the same name from any directory
        store = open_source_store(str(place), storage_options) if path is None else path.resolve()
    try:
        return zarr.open(store, mode="r")
    except (FileNotFoundError, NodeNotFoundError, ArrayNotFoundError, GroupNotFoundError) as error:
        raise ConfigurationError(f"source {str(place)!r} holds no Zarr array or group") from error


def _consolidated(group: zarr.Group) -> bool:
    return group.metadata.consolidated_metadata is not None


def _coordinates(attributes: list[dict[str, Any]]) -> Iterator[str]:
    """Names that CF's attribute ``coordinates`` gives."""
    for given in attributes:
        if isinstance(named := given.get("coordinates"), str):
            yield from named.split()


def _member(path: str, array: zarr.Array[Any], coordinates: Any, label: bool, whole: bool = False) -> Member:
    return Member(
        path,
        ZarrReader(array),
        array,
        _why_copied(path, array, coordinates, label, whole),
        tuple(_missing(array)),
    )


def _why_copied(path: str, array: zarr.Array[Any], coordinates: Any, label: bool, whole: bool) -> str | None:
    if is_compressed(array.metadata.to_dict()):
        return ALREADY
    if label:
        return "a label image"
    if whole:
        return None
    if not supported(ZarrReader(array).dtype):
        return f"dtype {array.dtype}"
    if array.ndim < 2 or path.rsplit("/", 1)[-1] in coordinates:
        return "a coordinate"
    return "small" if array.size < SMALLEST else None


def _missing(array: zarr.Array[Any]) -> Iterator[float]:
    """Values that xarray and CF take as missing: they are compared with, so they must come back."""
    attributes: Mapping[str, Any] = array.attrs
    for name in ("_FillValue", "missing_value"):
        value = attributes.get(name)
        if isinstance(value, str):
            value = _from_base64(value)
        for number in value if isinstance(value, list | tuple) else [value]:
            if isinstance(number, int | float) and not isinstance(number, bool):
                yield number
    if array.metadata.zarr_format == 2 and "_ARRAY_DIMENSIONS" in attributes and array.metadata.fill_value is not None:
        value = array.metadata.fill_value  # xarray keeps _FillValue there in format 2
        if array.dtype.kind in "iuf":
            yield np.asarray(value).item()


def _from_base64(text: str) -> float | None:
    """A float's ``_FillValue`` as xarray writes it in format 3: eight bytes, little endian."""
    try:
        (value,) = struct.unpack("<d", base64.standard_b64decode(text))
    except (binascii.Error, struct.error):
        return None
    return float(value)
