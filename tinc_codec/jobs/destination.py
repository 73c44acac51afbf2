"""The destination's groups and arrays, from the source's: everything but the samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import zarr
from zarr.core.sync import sync
from zarr.storage import MemoryStore, StorePath
from zarr.storage._common import make_store_path

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.jobs.consolidation import consolidated_documents
from tinc_codec.jobs.destination_array import DestinationArray, WriteSettings, destination_array
from tinc_codec.jobs.documents import as_json, group_documents, new_group, same
from tinc_codec.jobs.grids import Grid, Shape
from tinc_codec.jobs.nodes import METADATA, Node, nodes_of, parse_documents
from tinc_codec.jobs.objects import copy_objects, join, present, read_objects, write_objects
from tinc_codec.jobs.source_tree import SourceTree


@dataclass(frozen=True, eq=False)
class Destination:
    """What is written of a source, wherever that is.

    Parameters
    ----------
    source
        What it is written from.
    arrays
        Of all its members.
    zarr_format
        Of the groups; None: as each is in the source.
    """

    source: SourceTree
    arrays: tuple[DestinationArray, ...]
    zarr_format: int | None

    @classmethod
    def of(cls, source: SourceTree, writer: WriteSettings, grid: Grid) -> Self:
        """Plan every array of a source.

        Raises
        ------
        ConfigurationError
            Chunks or shards do not fit an array, or the Zarr format is not one that its metadata can have.
        """
        _check_format(source, grid.zarr_format)
        arrays = tuple(destination_array(member, writer, grid) for member in source.members)
        return cls(source, arrays, grid.zarr_format)

    def create(self, root: Any) -> None:
        """Write the metadata of all groups and arrays that are not there so, and copy what else lies in the source.

        Parameters
        ----------
        root
            Path or URL of the destination, or a store in memory, which gets metadata only.
        """
        place, source = sync(make_store_path(root, mode="a")), self.source
        documents = self._array_documents()
        if source.inventory is not None and source.place is not None:
            groups = source.inventory.groups
            read = read_objects(source.place, [node.key(name) for node in groups.values() for name in node.files])
            documents |= group_documents(groups, self.zarr_format, read)
        if source.described is not None:
            zarr_format = self.zarr_format or 3
            documents |= new_group("", zarr_format, ome.in_format(source.described, zarr_format))
        there = read_objects(place, documents)
        write_objects(place, {key: data for key, data in documents.items() if not same(there.get(key), data)})
        if source.inventory is not None and not isinstance(root, MemoryStore):
            assert source.place is not None
            copy_objects(source.place, place, self.others)

    @property
    def others(self) -> list[str]:
        """Keys of what is copied as it is, object by object: files of no node, and arrays that zarr cannot open."""
        inventory = self.source.inventory
        if inventory is None:
            return []
        nodes, chunks = inventory.nodes, inventory.chunks
        inside = (
            nodes[path].key(name) for path in self.source.opaque for name in (*nodes[path].files, *sorted(chunks[path]))
        )
        return [*inventory.foreign, *inside]

    def objects_at(self, root: Any) -> frozenset[str]:
        """Keys of the metadata files, and of what is copied as it is, that are there."""
        keys = {node.key(name) for node in self._nodes.values() for name in METADATA}
        return present(sync(make_store_path(root, mode="r")), {*keys, *self.others})

    def consolidate(self, root: Any) -> None:
        """Consolidate the metadata of those groups whose metadata were, as far as zarr can read them."""
        inventory = self.source.inventory
        if inventory is None or not inventory.consolidated:
            return
        place = sync(make_store_path(root, mode="a"))
        paths = [path for path in inventory.nodes if path not in self.source.opaque]
        documents = read_objects(place, [join(path, name) for path in paths for name in METADATA])
        nodes = nodes_of(str(root), parse_documents(str(root), documents))
        consolidated = (consolidated_documents(group, nodes) for group in inventory.consolidated)
        write_objects(place, {key: as_json(document) for key, document in consolidated})

    def alike(self, root: Any, other: Any) -> bool:
        """Whether the arrays at two places have the same metadata, so that chunks of one are chunks of the other."""
        try:
            return all(metadata(root, array.path) == metadata(other, array.path) for array in self.arrays)
        except (FileNotFoundError, KeyError):
            return False

    @property
    def _nodes(self) -> Mapping[str, Node]:
        return {} if self.source.inventory is None else self.source.inventory.nodes

    def _array_documents(self) -> dict[str, bytes]:
        """Metadata files of the arrays; those of arrays that are copied are as they were, byte for byte."""
        nodes, source = self._nodes, self.source
        copied = [nodes[a.path].key(name) for a in self.arrays if a.mode == "copy" for name in nodes[a.path].files]
        documents = {} if source.place is None else dict(read_objects(source.place, copied))
        for array in self.arrays:
            if array.mode != "copy":
                documents |= {join(array.path, name): data for name, data in _new_documents(array).items()}
        return documents


def _check_format(source: SourceTree, zarr_format: int | None) -> None:
    """Raise `ConfigurationError` unless all of a source can have a Zarr format."""
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


def _new_documents(array: DestinationArray) -> Mapping[str, bytes]:
    """Metadata files of a new array, by name."""
    alone, reader = MemoryStore(), array.member.reader
    zarr.create_array(
        alone,
        shape=reader.shape,
        dtype=reader.dtype,
        chunks=array.chunks,
        shards=array.shards,
        **array.arguments,
    )
    return read_objects(StorePath(alone), METADATA)


def metadata(root: Any, path: str) -> str:
    """An array's metadata as text, its attributes left out."""
    document = open_array(root, path, "r").metadata.to_dict()
    return json.dumps(
        {key: value for key, value in document.items() if key != "attributes"}, default=str, sort_keys=True
    )


def open_array(root: Any, path: str, mode: str = "r+") -> zarr.Array[Any]:
    """Open an array of the destination."""
    return zarr.open_array(root, path=path or "", mode=mode)


def create_empty(path: Path, shape: Shape, chunks: Shape) -> None:
    """Write the metadata of an array of uint16 that has no chunks."""
    zarr.create_array(path, shape=shape, chunks=chunks, dtype="uint16")


def remove_chunk(root: Any, key: str) -> None:
    """Remove an object of the destination, if it is there, so that it reads as the fill value."""
    sync((sync(make_store_path(root, mode="a")) / key).delete())
