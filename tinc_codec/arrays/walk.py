"""What a source holds: which arrays are compressed, which are copied and why, and the groups around them."""

from __future__ import annotations

import base64
import binascii
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore, StorePath

from tinc_codec.arrays.given import KNOWN, Given, open_given
from tinc_codec.arrays.ome import label_groups
from tinc_codec.arrays.place import local_path
from tinc_codec.arrays.readers import Reader, ZarrReader
from tinc_codec.errors import ConfigurationError
from tinc_codec.opening import open_node
from tinc_codec.source import check_dtype
from tinc_codec.stream.container import supported
from tinc_codec.zarr3 import is_compressed

SMALLEST = 4096
"""Voxels below which an array of a group is copied as it is: tables and coordinates must stay exact."""

ALREADY = "already compressed by TINC"
"""Why an array is copied whose samples would lose twice."""


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
    names, attributes
        Of an array that is not Zarr's: names of its axes (empty: not known), and attributes.
    """

    path: str
    reader: Reader
    array: zarr.Array[Any] | None
    copied: str | None
    missing: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


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
    """

    name: str
    groups: tuple[Group, ...]
    members: tuple[Member, ...]
    zarr_format: int | None
    directory: Path | None


def open_source(given: Any) -> Source:
    """Open what was given: a Zarr array or group, a path or URL of one, or what `tinc_codec.arrays.given` knows.

    Raises
    ------
    ConfigurationError
        There is no Zarr array or group, or only this process can see it.
    UnsupportedDataError
        A single array has a dtype that cannot be stored.
    """
    other = open_given(given)
    return _zarr_source(given) if other is None else _other_source(other)


def _other_source(given: Given) -> Source:
    members = tuple(
        Member(array.path, array.reader, None, None, array.missing, array.names, array.attributes)
        for array in given.arrays
    )
    groups = () if given.described is None else (Group("", dict(given.described), False),)
    return Source(given.name, groups, members, None, None)


def _zarr_source(given: Any) -> Source:
    node = given if isinstance(given, zarr.Array | zarr.Group) else open_zarr(given)
    if isinstance(node.store, MemoryStore):
        raise ConfigurationError(
            "the source is in the memory of this process, which workers cannot see: save it, or give its "
            "samples (array[...]) instead"
        )
    root = getattr(node.store, "root", None)
    directory = root / node.path if isinstance(root, Path) else None
    name, zarr_format = str(node.store_path), node.metadata.zarr_format
    if isinstance(node, zarr.Array):
        member = _member("", node, {}, False, whole=True)
        if member.copied is None:
            check_dtype(member.reader.dtype)
        return Source(name, (), (member,), zarr_format, directory)
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
    )


def _members(group: zarr.Group) -> list[tuple[str, zarr.Array[Any] | zarr.Group]]:
    with warnings.catch_warnings():  # files that are no node's are known to be there, and are copied
        warnings.filterwarnings("ignore", "Object at", ZarrUserWarning)
        return list(group.members(max_depth=None))


def open_zarr(place: Any) -> zarr.Array[Any] | zarr.Group:
    """Open a path, or a URL that fsspec knows, for reading.

    Raises
    ------
    ConfigurationError
        There is no Zarr array or group.
    """
    if not isinstance(place, str | Path | Store | StorePath):
        raise ConfigurationError(f"the source is a {type(place).__name__}: give {KNOWN}")
    path = local_path(place) if isinstance(place, str | Path) else None
    return open_node(place if path is None else path.resolve(), place)  # the same name from any directory


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
