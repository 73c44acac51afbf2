"""What lies above and beside a source in the store that it was taken from: a level of a label image is named alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from zarr.storage import FsspecStore, StorePath

from tinc_codec.hosts.images import Folder
from tinc_codec.hosts.stores import UrlStore
from tinc_codec.jobs.objects import directory_of, read_objects

_FARTHEST = 8
"""Folders above a source that are looked at, where each look is a request."""

_DESCRIBING = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def name_of(place: StorePath) -> str:
    """The name of the folder that a path of a store is."""
    directory = directory_of(place)
    if directory is not None:
        return directory.resolve().name
    return PurePosixPath(place.path or getattr(place.store, "path", "")).name


def above(place: StorePath) -> tuple[Folder, ...]:
    """The folders that a node lies in, innermost first, up to the outermost that is a Zarr group."""
    directory = directory_of(place)
    if directory is not None:
        return folders_above(directory.resolve())
    folders = [(name_of(outer), _documents(read_objects(outer, _DESCRIBING))) for outer in _parents(place)]
    return _within_the_hierarchy(folders)


def folders_above(directory: Path) -> tuple[Folder, ...]:
    """The same for a directory."""
    folders = []
    for outer in directory.parents:
        read = {name: (outer / name).read_bytes() for name in _DESCRIBING if (outer / name).is_file()}
        folders.append((outer.name, _documents(read)))
    return _within_the_hierarchy(folders)


def beside(place: StorePath) -> Iterator[Mapping[str, Any]]:
    """Attributes of the nodes beside a node, in a local store whose outer folder is a group."""
    directory = directory_of(place)
    if directory is None or not any((directory.parent / name).is_file() for name in _DESCRIBING):
        return
    for name in ("zarr.json", ".zattrs"):
        for file in directory.parent.glob(f"*/{name}"):
            yield _attributes(_documents({name: file.read_bytes()}))


def _within_the_hierarchy(folders: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[Folder, ...]:
    groups = [place for place, (_, documents) in enumerate(folders) if documents]
    return tuple(Folder(name, _attributes(documents)) for name, documents in folders[: max(groups, default=-1) + 1])


def _documents(read: Mapping[str, bytes]) -> dict[str, Any]:
    """What can be understood of metadata files; those above a source are not the source's, and may be anyhow."""
    documents: dict[str, Any] = {}
    for name, data in read.items():
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = {}
        documents[name] = document if isinstance(document, dict) else {}
    return documents


def _attributes(documents: Mapping[str, Any]) -> Mapping[str, Any]:
    parts = (documents.get(".zattrs"), documents.get("zarr.json", {}).get("attributes"))
    return {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}


def _parents(place: StorePath) -> Iterator[StorePath]:
    """The documents above a path within its store, and above the store where it is one of fsspec's."""
    inner = PurePosixPath(place.path)
    if place.path:
        yield from (StorePath(place.store, "" if str(outer) == "." else str(outer)) for outer in inner.parents)
    if isinstance(place.store, FsspecStore | UrlStore):
        scheme, _, rest = place.store.path.rpartition("://")
        for outer in list(PurePosixPath(rest).parents)[:_FARTHEST]:
            if str(outer) not in (".", "/"):
                path = f"{scheme}://{outer}" if scheme else str(outer)
                store = place.store
                yield StorePath(
                    store.elsewhere(path)
                    if isinstance(store, UrlStore)
                    else FsspecStore(store.fs, read_only=True, path=path)
                )
