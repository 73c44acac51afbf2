"""The destination's groups and arrays, made from the source's: everything but the samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from zarr.core.sync import sync
from zarr.storage import MemoryStore, StorePath
from zarr.storage._common import make_store_path

from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.regions import Regions
from tinc_codec.hosts.zarr3 import zarr_kwargs
from tinc_codec.jobs.consolidation import consolidated_documents
from tinc_codec.jobs.documents import as_json, group_documents, new_group, same
from tinc_codec.jobs.grids import Shape, check_grid, own_grid
from tinc_codec.jobs.nodes import METADATA, nodes_of, parse_documents
from tinc_codec.jobs.objects import copy_objects, join, present, read_objects, write_objects
from tinc_codec.jobs.source_tree import ALREADY, Member, SourceTree

Mode = Literal["encode", "copy", "recode"]
"""How an array gets there: through the codec; object by object; or as samples, stored by another codec."""


@dataclass(frozen=True)
class WriteSettings:
    """What new arrays are written with.

    Parameters
    ----------
    config
        TINC's settings; None where `plain` is used.
    plain
        Arguments of ``zarr.create_array`` for another codec, by Zarr format.
    """

    config: Config | None
    plain: Mapping[int, Mapping[str, Any]] | None = None


@dataclass(frozen=True, eq=False)
class DestinationArray:
    """One array to make.

    Parameters
    ----------
    member
        Where its samples come from.
    mode
        How.
    config
        TINC's settings for it; None unless `mode` is ``"encode"``.
    chunks, shards
        Its grid; no shards: None.
    arguments
        Further arguments of ``zarr.create_array``.
    """

    member: Member
    mode: Mode
    config: Config | None
    chunks: Shape
    shards: Shape | None
    arguments: dict[str, Any]

    @property
    def path(self) -> str:
        """Within the destination."""
        return self.member.path

    @property
    def regions(self) -> Regions:
        """What is written at once."""
        return Regions(self.member.reader.shape, self.shards or self.chunks)

    @property
    def raw_bytes(self) -> int:
        """Uncompressed size."""
        return int(np.prod(self.member.reader.shape, dtype=object)) * self.member.reader.dtype.itemsize


def targets(
    source: SourceTree, writer: WriteSettings, zarr_format: int | None, chunks: Shape | None, shards: Shape | None
) -> list[DestinationArray]:
    """What is made of every array of a source; `zarr_format` is None where each keeps its own.

    Raises
    ------
    ConfigurationError
        Chunks or shards do not fit an array, or the Zarr format is not one that its metadata can have.
    """
    nodes = {} if source.inventory is None else source.inventory.nodes
    changed = [path for path, node in nodes.items() if zarr_format not in (None, node.zarr_format)]
    if changed and ome.is_ome(source.groups):
        raise ConfigurationError(
            f"zarr_format={zarr_format}: {source.name} is OME-Zarr in Zarr format {nodes[changed[0]].zarr_format}, and "
            "its version goes with that; leave zarr_format out"
        )
    for path in source.opaque:
        if path in changed:
            raise ConfigurationError(f"zarr_format={zarr_format}: array {path!r} {source.opaque[path]}; leave it out")
    return [_target(member, writer, zarr_format or _own_format(member), chunks, shards) for member in source.members]


def _own_format(member: Member) -> int:
    return 3 if member.array is None else int(member.array.metadata.zarr_format)


def _target(
    member: Member, writer: WriteSettings, zarr_format: int, chunks: Shape | None, shards: Shape | None
) -> DestinationArray:
    own = (chunks, None) if chunks is not None and member.array is None else own_grid(member, zarr_format)
    exact = member.exact is not None
    kept = member.array is not None and _own_format(member) == zarr_format
    if exact and kept and not member.lossless and (writer.plain is None or member.exact != ALREADY):
        return DestinationArray(member, "copy", None, *own, {})
    coded = writer.config is not None and (not exact or member.lossless)
    regrid = not exact or writer.plain is not None
    given = (chunks or own[0], shards if chunks or shards else own[1]) if regrid else own
    check_grid(member, *given, zarr_format)
    config = None
    arguments: dict[str, Any] = {"zarr_format": zarr_format}
    if coded:
        config = _config_for(member, writer)
        arguments = zarr_kwargs(TINCCodec.from_settings(config), zarr_format=2 if zarr_format == 2 else 3)
    elif writer.plain is not None:
        arguments |= writer.plain[zarr_format]
    return DestinationArray(
        member, "encode" if coded else "recode", config, *given, {**arguments, **_about(member, zarr_format)}
    )


def _config_for(member: Member, writer: WriteSettings) -> Config:
    """The codec's settings for an array: nothing is lost of one that must stay exact."""
    assert writer.config is not None
    if member.exact is not None:
        return Config(max_error=0.0, effort=writer.config.effort)
    return replace(writer.config, exact_values=tuple(dict.fromkeys((*writer.config.exact_values, *member.missing))))


def _about(member: Member, zarr_format: int) -> dict[str, Any]:
    """Fill value, attributes, names of the axes and keys of the chunks, as the source has them."""
    array = member.array
    if array is None:
        return _about_other(member, zarr_format)
    attributes, metadata = dict(array.attrs), array.metadata
    names: Any = getattr(metadata, "dimension_names", None) or attributes.get("_ARRAY_DIMENSIONS")
    about: dict[str, Any] = {"fill_value": metadata.fill_value}
    if zarr_format == 2:
        about["order"] = array.order
        if names is not None:
            attributes["_ARRAY_DIMENSIONS"] = list(names)
        if metadata.zarr_format == 2:
            about["chunk_key_encoding"] = {"name": "v2", "separator": metadata.dimension_separator}
    else:
        about["dimension_names"] = names
        attributes.pop("_ARRAY_DIMENSIONS", None)
        if metadata.zarr_format == 3:
            about["chunk_key_encoding"] = metadata.chunk_key_encoding
        elif metadata.fill_value is None:
            del about["fill_value"]
    return {**about, "attributes": attributes}


def _about_other(member: Member, zarr_format: int) -> dict[str, Any]:
    """The same of an array that is not Zarr's."""
    names, attributes = list(member.names) or None, dict(member.attributes)
    if zarr_format == 3:
        return {"dimension_names": names, "attributes": attributes}
    if names:
        attributes["_ARRAY_DIMENSIONS"] = names
    return {"chunk_key_encoding": {"name": "v2", "separator": "/"}, "attributes": attributes}


def create(root: Any, source: SourceTree, made: list[DestinationArray], zarr_format: int | None) -> None:
    """Write the metadata of all groups and arrays that are not there so, and copy what else lies in the source.

    Parameters
    ----------
    root
        Path or URL of the destination, or a store in memory, which gets metadata only.
    source
        What it is made from.
    made
        Its arrays.
    zarr_format
        Of the destination's groups; None: as each was.
    """
    place = sync(make_store_path(root, mode="a"))
    wanted = _array_documents(source, made)
    if source.inventory is not None and source.place is not None:
        groups = source.inventory.groups
        read = read_objects(source.place, [node.key(name) for node in groups.values() for name in node.files])
        wanted |= group_documents(groups, zarr_format, read)
    if source.described is not None:
        asked = zarr_format or 3
        wanted |= new_group("", asked, ome.in_format(source.described, asked))
    there = read_objects(place, wanted)
    write_objects(place, {key: data for key, data in wanted.items() if not same(there.get(key), data)})
    if source.inventory is not None and not isinstance(root, MemoryStore):
        assert source.place is not None
        copy_objects(source.place, place, others(source))


def others(source: SourceTree) -> list[str]:
    """Keys of what is copied as it is, object by object: files of no node, and arrays that zarr cannot open."""
    if source.inventory is None:
        return []
    nodes, chunks = source.inventory.nodes, source.inventory.chunks
    inside = (nodes[path].key(name) for path in source.opaque for name in (*nodes[path].files, *sorted(chunks[path])))
    return [*source.inventory.foreign, *inside]


def objects_of(root: Any, source: SourceTree) -> frozenset[str]:
    """Keys of the metadata files, and of what is copied as it is, that a destination has."""
    nodes = {} if source.inventory is None else source.inventory.nodes
    keys = {node.key(name) for node in nodes.values() for name in METADATA}
    return present(sync(make_store_path(root, mode="r")), {*keys, *others(source)})


def _array_documents(source: SourceTree, made: list[DestinationArray]) -> dict[str, bytes]:
    """Metadata files of the arrays; those of arrays that are copied are as they were, byte for byte."""
    nodes = {} if source.inventory is None else source.inventory.nodes
    copied = [nodes[t.path].key(name) for t in made if t.mode == "copy" for name in nodes[t.path].files]
    written = {} if source.place is None else dict(read_objects(source.place, copied))
    for target in made:
        if target.mode != "copy":
            written |= {join(target.path, name): data for name, data in _new_documents(target).items()}
    return written


def _new_documents(target: DestinationArray) -> Mapping[str, bytes]:
    """Metadata files of a new array, by name."""
    alone, reader = MemoryStore(), target.member.reader
    zarr.create_array(
        alone,
        shape=reader.shape,
        dtype=reader.dtype,
        chunks=target.chunks,
        shards=target.shards,
        **target.arguments,
    )
    return read_objects(StorePath(alone), METADATA)


def consolidate(root: Any, source: SourceTree) -> None:
    """Consolidate the metadata of those groups whose metadata were, as far as zarr can read them."""
    if source.inventory is None or not source.inventory.consolidated:
        return
    place = sync(make_store_path(root, mode="a"))
    paths = [path for path in source.inventory.nodes if path not in source.opaque]
    nodes = nodes_of(
        str(root), parse_documents(str(root), read_objects(place, [join(p, n) for p in paths for n in METADATA]))
    )
    written = (consolidated_documents(group, nodes) for group in source.inventory.consolidated)
    write_objects(place, {key: as_json(document) for key, document in written})


def same_layout(root: Any, other: Any, made: list[DestinationArray]) -> bool:
    """Whether the arrays at two places have the same metadata, so that chunks of one are chunks of the other."""
    try:
        return all(metadata(root, target.path) == metadata(other, target.path) for target in made)
    except (FileNotFoundError, KeyError):
        return False


def metadata(root: Any, path: str) -> str:
    """An array's metadata as text, its attributes left out."""
    document = open_target(root, path, "r").metadata.to_dict()
    return json.dumps(
        {key: value for key, value in document.items() if key != "attributes"}, default=str, sort_keys=True
    )


def open_target(root: Any, path: str, mode: str = "r+") -> zarr.Array[Any]:
    """Open an array of the destination."""
    return zarr.open_array(root, path=path or "", mode=mode)


def create_empty(path: Path, shape: Shape, chunks: Shape) -> None:
    """Write the metadata of an array of uint16 that has no chunks."""
    zarr.create_array(path, shape=shape, chunks=chunks, dtype="uint16")


def remove_chunk(root: Any, key: str) -> None:
    """Remove an object of the destination, if it is there, so that it reads as the fill value."""
    sync((sync(make_store_path(root, mode="a")) / key).delete())
