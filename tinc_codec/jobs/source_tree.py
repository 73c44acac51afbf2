"""Sources, opened: their arrays, wherever they are, and what lies around them."""

from __future__ import annotations

import base64
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.core.sync import sync
from zarr.errors import ZarrFutureWarning, ZarrUserWarning
from zarr.storage import StorePath
from zarr.storage._common import make_store_path

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.images import Folder
from tinc_codec.hosts.opening import store_of
from tinc_codec.hosts.stores import is_of_this_process
from tinc_codec.hosts.zarr3 import is_compressed
from tinc_codec.jobs.chunk_keys import chunk_keys
from tinc_codec.jobs.consolidation import check_consolidated
from tinc_codec.jobs.given import KNOWN, Given, open_given
from tinc_codec.jobs.inventory import Inventory, take_inventory
from tinc_codec.jobs.nodes import DESCRIBING, Node
from tinc_codec.jobs.objects import directory_of, read_objects, shown
from tinc_codec.jobs.sources import SampleSource, ZarrSource
from tinc_codec.jobs.surroundings import above, beside, name_of
from tinc_codec.runtime.usable import usable

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
    exact
        Why it must stay exact; None where the codec is for it. See `tinc_codec.jobs.judge`.
    lossless
        Whether, as it stays exact, TINC makes it smaller than it is.
    missing
        Values that stand for missing samples, which must come back exactly.
    names, attributes
        Of an array that is not Zarr's: names of its axes (empty: not known), and attributes.
    """

    path: str
    reader: SampleSource
    array: zarr.Array[Any] | None
    exact: str | None = None
    lossless: bool = False
    missing: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SourceTree:
    """A source that is open.

    Parameters
    ----------
    name
        As it was given.
    members
        Its arrays; those of a hierarchy wherever they lie in it.
    zarr_format
        Of its outermost node; None where it is not Zarr.
    place
        Where it lies; None where it is not Zarr.
    inventory
        What its files are; None where it is not Zarr.
    opaque
        Arrays that zarr cannot open, by path, with the reason: their objects are copied as they are.
    folder
        Name of the folder that it is.
    above, beside
        What lies around it, see `tinc_codec.jobs.surroundings`.
    """

    name: str
    members: tuple[Member, ...]
    zarr_format: int | None = None
    place: StorePath | None = None
    inventory: Inventory | None = None
    opaque: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    above: tuple[Folder, ...] = ()
    beside: tuple[Mapping[str, Any], ...] = ()
    described: Mapping[str, Any] | None = None

    @property
    def directory(self) -> Path | None:
        """Where it lies, if it is a Zarr store in a local directory."""
        return None if self.place is None else directory_of(self.place)

    @property
    def groups(self) -> dict[str, Mapping[str, Any]]:
        """Attributes of its groups by path."""
        if self.inventory is not None:
            return {path: node.attributes for path, node in self.inventory.groups.items()}
        return {} if self.described is None else {"": self.described}


def open_source(given: Any, storage_options: Mapping[str, Any] | None = None) -> SourceTree:
    """Open what was given: a Zarr array or group, a path or URL of one, or what `tinc_codec.jobs.given` knows.

    Raises
    ------
    ConfigurationError
        There is no Zarr array or group, only this process can see it, or it holds what cannot be understood.
    UnsupportedDataError
        A single array has a dtype that cannot be stored.
    """
    other = open_given(given)
    return _zarr_source(given, storage_options) if other is None else _other_source(other)


def _other_source(given: Given) -> SourceTree:
    members = tuple(
        Member(array.path, array.reader, None, missing=array.missing, names=array.names, attributes=array.attributes)
        for array in given.arrays
    )
    return SourceTree(given.name, members, described=given.described)


def _zarr_source(given: Any, storage_options: Mapping[str, Any] | None) -> SourceTree:
    place = given.store_path if isinstance(given, zarr.Array | zarr.Group) else _place(given, storage_options)
    if is_of_this_process(place.store):
        raise ConfigurationError(
            "the source is in the memory of this process, which workers cannot see: save it, or give its "
            "samples (array[...]) instead"
        )
    if not any(read_objects(place, DESCRIBING)):
        raise ConfigurationError(f"source {str(given)!r} holds no Zarr array or group")
    inventory = take_inventory(place)
    check_consolidated(shown(place), inventory)
    _check_outside(shown(place), inventory)
    members, opaque = [], {}
    for path, node in inventory.arrays.items():
        try:
            members.append(_member(path, opened(place, node)))
        except UnreadableError as error:
            opaque[path] = str(error)
    if opaque and not inventory.listed:
        path, reason = next(iter(opaque.items()))
        raise ConfigurationError(f"array {path!r} of {shown(place)} {reason}, and a store over HTTP cannot be listed")
    root = inventory.nodes[""]
    if root.kind == "array" and opaque:
        raise ConfigurationError(f"array {shown(place)} {opaque['']}")
    near = tuple(beside(place)) if root.kind == "array" else ()
    return SourceTree(
        str(place), tuple(members), root.zarr_format, place, inventory, opaque, name_of(place), above(place), near
    )


def _place(given: Any, storage_options: Mapping[str, Any] | None) -> StorePath:
    with usable(f"source {str(given)!r}"):
        return sync(make_store_path(_store(given, storage_options), mode="r"))


def _store(given: Any, storage_options: Mapping[str, Any] | None) -> Any:
    """What zarr opens: of a path the whole name, so that it is the same from any directory; of a URL its store."""
    if not isinstance(given, str | Path | Store | StorePath | zarr.Array | zarr.Group):
        raise ConfigurationError(f"the source is a {type(given).__name__}: give {KNOWN}")
    return store_of(given, storage_options)


def _check_outside(name: str, inventory: Inventory) -> None:
    for path, keys in inventory.outside.items():
        raise ConfigurationError(
            f"array {path or '/'!r} of {name} has {len(keys)} objects that are named like chunks and are none of its "
            f"grid, {min(keys)} among them: mend its shape, or move them away"
        )


def opened(place: StorePath, node: Node) -> zarr.Array[Any]:
    """An array by its own metadata.

    Raises
    ------
    UnreadableError
        zarr cannot, with the reason.
    """
    if chunk_keys(node.document) is None:
        raise UnreadableError(
            "has no regular grid of chunks of 1 or more, or names them in a way that is not known here"
        )
    try:
        with warnings.catch_warnings():  # what is not specified well can be read all the same
            warnings.simplefilter("ignore", ZarrFutureWarning)
            warnings.simplefilter("ignore", ZarrUserWarning)
            return zarr.Array(zarr.AsyncArray(_document(node), place / node.path))
    except Exception as error:  # whatever zarr and codecs raise over metadata of other writers; nothing is read here
        raise UnreadableError(f"cannot be opened: {type(error).__name__}: {error}") from error


def _document(node: Node) -> Any:
    return node.described


class UnreadableError(Exception):
    """zarr cannot open an array."""


def _member(path: str, array: zarr.Array[Any]) -> Member:
    already = ALREADY if is_compressed(array.metadata.to_dict()) else None
    return Member(path, ZarrSource(array), array, already, missing=tuple(_missing(array)))


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
    except (ValueError, struct.error):  # of letters that it has not, and of another length
        return None
    return float(value)
