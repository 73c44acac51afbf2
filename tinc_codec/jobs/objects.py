"""The objects of a store below a path: listed once, links followed, and their bytes."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zarr.core.buffer import cpu, default_buffer_prototype
from zarr.core.common import concurrent_map
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore, StorePath

from tinc_codec.errors import ConfigurationError, JobError

_TOGETHER = 64
"""Requests to a store at the same time."""


def directory_of(place: StorePath) -> Path | None:
    """Where a path of a store lies in the local file system."""
    return place.store.root / place.path if isinstance(place.store, LocalStore) else None


def join(folder: str, name: str) -> str:
    """The key of an object in a folder; the root's is empty."""
    return f"{folder}/{name}" if folder else name


def shown(place: StorePath) -> str:
    """A path of a store, for people."""
    outer = getattr(place.store, "path", None) if isinstance(place.store, FsspecStore) else None
    return str(place) if outer is None else f"{outer}/{place.path}".rstrip("/")


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
    by_folder: dict[str, list[str]] = {}
    prefix = f"{place.path}/" if place.path else ""
    for key in sync(_listed(place.store, prefix)):
        folder, _, name = key.removeprefix(prefix).rpartition("/")
        by_folder.setdefault(folder, []).append(name)
    yield from by_folder.items()


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
        buffer = await (place / key).get(prototype=default_buffer_prototype())
        return key, None if buffer is None else buffer.to_bytes()

    objects = sync(concurrent_map([(key,) for key in keys], read, _TOGETHER))
    return {key: data for key, data in objects if data is not None}


def sizes(place: StorePath, keys: Iterable[str]) -> dict[str, int]:
    """Bytes of some objects below a path; those that are gone are left out."""

    async def size(key: str) -> tuple[str, int | None]:
        try:
            return key, await place.store.getsize((place / key).path)
        except FileNotFoundError:
            return key, None

    numbers = sync(concurrent_map([(key,) for key in keys], size, _TOGETHER))
    return {key: number for key, number in numbers if number is not None}


def write_objects(place: StorePath, objects: Mapping[str, bytes]) -> None:
    """Write objects below a path."""

    async def write(key: str, data: bytes) -> None:
        await (place / key).set(cpu.Buffer.from_bytes(data))

    sync(concurrent_map(objects.items(), write, _TOGETHER))


def copy_objects(source: StorePath, destination: StorePath, keys: Iterable[str]) -> None:
    """Copy objects that are not there yet, and read each one back; of a link, what it points at is copied.

    Raises
    ------
    JobError
        An object went away meanwhile, or what was written is not what was read.
    """
    outer, inner = directory_of(source), directory_of(destination)
    for key in keys:
        if outer is not None and inner is not None:
            (inner / key).parent.mkdir(parents=True, exist_ok=True)
            if not ((inner / key).exists() and filecmp.cmp(outer / key, inner / key)):
                shutil.copy2(outer / key, inner / key)
            same = filecmp.cmp(outer / key, inner / key, shallow=False)
        else:
            objects = read_objects(source, [key])
            write_objects(destination, objects)
            same = bool(objects) and read_objects(destination, [key]) == objects
        if not same:
            raise JobError(
                f"{source}/{key} was copied to {destination} and is not the same: does something write there?"
            )


def present(place: StorePath, keys: Iterable[str]) -> frozenset[str]:
    """Those keys below a path that there are objects of."""

    async def look(key: str) -> tuple[str, bool]:
        return key, await (place / key).exists()

    return frozenset(key for key, there in sync(concurrent_map([(key,) for key in keys], look, _TOGETHER)) if there)
