"""The objects of a store below a path: listed once, links followed, and their bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zarr.core.buffer import default_buffer_prototype
from zarr.core.common import concurrent_map
from zarr.core.sync import sync
from zarr.storage import LocalStore, StorePath

from tinc_codec.errors import ConfigurationError

_TOGETHER = 64
"""Requests to a store at the same time."""


def directory_of(place: StorePath) -> Path | None:
    """Where a path of a store lies in the local file system."""
    return place.store.root / place.path if isinstance(place.store, LocalStore) else None


def join(folder: str, name: str) -> str:
    """The key of an object in a folder; the root's is empty."""
    return f"{folder}/{name}" if folder else name


def listable(place: StorePath) -> bool:
    """Whether a store can tell what it holds; over HTTP there is at most a page for people."""
    protocol = getattr(getattr(place.store, "fs", None), "protocol", ())
    known = (protocol,) if isinstance(protocol, str) else tuple(protocol)
    return bool(place.store.supports_listing) and not {"http", "https"} & set(known)


def folders(place: StorePath) -> Iterator[tuple[str, list[str]]]:
    """Each folder below a path that has objects, relative to it, and their names.

    Raises
    ------
    ConfigurationError
        A link points nowhere or into a folder that it lies in, or there is something that is neither file nor folder.
    """
    root = directory_of(place)
    if root is not None:
        yield from _local_folders(root)
        return
    found: dict[str, list[str]] = {}
    prefix = f"{place.path}/" if place.path else ""
    for key in sync(_listed(place.store, prefix)):
        folder, _, name = key.removeprefix(prefix).rpartition("/")
        found.setdefault(folder, []).append(name)
    yield from found.items()


async def _listed(store: Any, prefix: str) -> list[str]:
    return [key async for key in store.list_prefix(prefix)]


def _local_folders(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Walk a directory; `os.scandir` tells kinds without a look at each file, so that millions of chunks are quick."""
    pending = [(str(root), "", os.path.realpath(root), frozenset[str]())]
    while pending:
        folder, relative, real, above = pending.pop()
        above, names = above | {real}, []
        with os.scandir(folder) as entries:
            for entry in entries:
                linked = entry.is_symlink()
                if linked and not Path(entry.path).exists():
                    aim = Path(entry.path).readlink()
                    raise ConfigurationError(f"{entry.path} is a link to {aim}, which is not there: mend or remove it")
                if entry.is_dir():
                    inner = os.path.realpath(entry.path) if linked else f"{real}/{entry.name}"
                    if inner in above:
                        raise ConfigurationError(f"{entry.path} is a link to {inner}, which it lies in: remove it")
                    path = join(relative, entry.name)
                    pending.append((entry.path, path, inner, above))
                elif entry.is_file():
                    names.append(entry.name)
                else:
                    raise ConfigurationError(f"{entry.path} is neither a file nor a folder: remove it")
        if names:
            yield relative, names


def read_objects(place: StorePath, keys: Iterable[str]) -> Mapping[str, bytes]:
    """The bytes of those objects below a path that exist, by key."""

    async def read(key: str) -> tuple[str, bytes | None]:
        found = await (place / key).get(prototype=default_buffer_prototype())
        return key, None if found is None else found.to_bytes()

    found = sync(concurrent_map([(key,) for key in keys], read, _TOGETHER))
    return {key: data for key, data in found if data is not None}
