"""What a store holds, by keys: for threads, bounded in size, and nothing from outside the store."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from hashlib import blake2b
from pathlib import Path
from time import monotonic

from typing_extensions import override
from zarr.abc.store import RangeByteRequest, Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore

from tinc_codec.errors import RequestError
from tinc_codec.serve.paths import METADATA, joined, split

FRESH = 5.0
"""Seconds that a document of a store elsewhere is taken as it was read: every chunk asks for its array's."""


REMEMBERED = 4096
"""Most documents of which that holds."""


class StoredObjects(ABC):
    """The objects of a store below the node that is served.

    Parameters
    ----------
    largest
        Bytes that are read at once, at most.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest

    def read(self, key: str, part: slice | None = None) -> bytes | None:
        """The bytes of an object, or a part of them; None: it is not there.

        Raises
        ------
        RequestError
            They are too many, or the key is a link that leads out of the store.
        """
        size = self.size(key)
        if size is None:
            return None
        wanted = size if part is None else part.stop - part.start
        if wanted > self._largest:
            raise RequestError(
                f"{key!r} has {wanted} bytes, where at most {self._largest} are sent at once: ask for parts by a Range "
                "header, or start the server with a larger --max-chunk",
                507,
            )
        return self._read(key, part)

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Bytes of an object; None: it is not there."""

    @abstractmethod
    def tag(self, key: str) -> str | None:
        """What changes with an object, found without a look at its bytes; None: nothing is, or it is not there."""

    @abstractmethod
    def names(self, key: str) -> list[str]:
        """Names in a folder; a store that cannot be listed gives none."""

    @abstractmethod
    def _read(self, key: str, part: slice | None) -> bytes | None: ...


def objects_of(store: Store, base: str, largest: int) -> StoredObjects:
    """The objects of a store below the path `base`."""
    if isinstance(store, LocalStore):
        return FolderObjects(Path(store.root) / base, largest)
    return StoreObjects(store, base, largest)


class FolderObjects(StoredObjects):
    """Files of a folder."""

    def __init__(self, folder: Path, largest: int) -> None:
        super().__init__(largest)
        self._folder = _real(folder)

    @override
    def size(self, key: str) -> int | None:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    @override
    def tag(self, key: str) -> str | None:
        path = self._path(key)
        if not path.is_file():
            return None
        status = path.stat()
        return quoted(repr((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)).encode())

    @override
    def names(self, key: str) -> list[str]:
        path = self._path(key)
        return sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []

    @override
    def _read(self, key: str, part: slice | None) -> bytes | None:
        try:
            with self._path(key).open("rb") as file:
                file.seek(part.start if part else 0)
                return file.read(part.stop - part.start if part else -1)
        except FileNotFoundError:  # removed since it was asked for
            return None

    def _path(self, key: str) -> Path:
        """Where a key is; what a link leads to may hold data, so that one that leads out is not said to be missing."""
        path = _real(self._folder / key)
        if not path.is_relative_to(self._folder):
            raise RequestError(f"{key!r} is a link out of the store, and is not served: copy what it leads to", 403)
        return path


class StoreObjects(StoredObjects):
    """Objects of any other of Zarr's stores."""

    def __init__(self, store: Store, base: str, largest: int) -> None:
        super().__init__(largest)
        self._store, self._base = store, base
        self._documents: dict[str, tuple[float, bytes | None]] = {}

    @override
    def read(self, key: str, part: slice | None = None) -> bytes | None:
        if split(key)[1] not in METADATA:
            return super().read(key, part)
        at, stored = self._documents.get(key, (-FRESH, None))
        if monotonic() - at > FRESH:
            stored = super().read(key)
            if len(self._documents) >= REMEMBERED:
                self._documents.clear()
            self._documents[key] = monotonic(), stored
        return stored

    @override
    def size(self, key: str) -> int | None:
        try:
            # stores over a network keep their connections in zarr's event loop
            return int(sync(self._store.getsize(joined(self._base, key))))
        except FileNotFoundError:
            return None

    @override
    def tag(self, key: str) -> str | None:
        return None

    @override
    def names(self, key: str) -> list[str]:
        async def listed() -> list[str]:
            return [name async for name in self._store.list_dir(joined(self._base, key))]

        return sorted(sync(listed())) if self._store.supports_listing else []

    @override
    def _read(self, key: str, part: slice | None) -> bytes | None:
        byte_range = None if part is None else RangeByteRequest(part.start, part.stop)
        buffer = sync(self._store.get(joined(self._base, key), default_buffer_prototype(), byte_range))
        if buffer is None:
            return None
        data = buffer.to_bytes()
        # a web server that knows no ranges sends all
        return data if part is None or len(data) <= part.stop - part.start else data[part]


def quoted(identity: bytes) -> str:
    """A tag of bytes, or of what names them."""
    return f'"{blake2b(identity, digest_size=16).hexdigest()}"'


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
