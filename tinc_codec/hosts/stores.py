"""Stores that a URL names: opened in one place, and whatever their errors are, they are told in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import override
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore, MemoryStore, WrapperStore

from tinc_codec.errors import ConfigurationError, DestinationError, JobError, SourceError, TincError
from tinc_codec.runtime.usable import usable

_NO_LISTINGS_KEPT = {"use_listings_cache": False}
"""What a store holds is asked of the store, each time."""


def local_path(place: str | Path) -> Path | None:
    """The path that a destination names, None where it is a URL of somewhere else; told apart as Zarr and fsspec do."""
    if isinstance(place, Path):
        return place
    scheme, _, rest = place.partition(":")
    if scheme in ("file", "local") and rest.startswith("/"):
        return Path(rest.removeprefix("//"))  # names are taken as they are written, %20 and # too
    return None if "://" in place or "::" in place else Path(place)


def open_source_store(url: str, options: Mapping[str, Any] | None) -> UrlStore:
    """Open a URL for reading.

    Parameters
    ----------
    url
        Of a file system that fsspec knows.
    options
        Its ``storage_options``, which go to the workers with it.

    Raises
    ------
    ConfigurationError
        The protocol is not known, or only this process could see what it holds.
    MissingDependencyError
        The package for its protocol is not installed.
    """
    return UrlStore(_opened(url, options, read_only=True), url, SourceError)


def open_destination_store(url: str, options: Mapping[str, Any] | None) -> UrlStore:
    """Open a URL for writing; see `open_source_store`."""
    return UrlStore(_opened(url, options, read_only=False), url, DestinationError)


def _opened(url: str, options: Mapping[str, Any] | None, read_only: bool) -> FsspecStore:
    try:
        with usable(url):
            store = FsspecStore.from_url(url, {**_NO_LISTINGS_KEPT, **(options or {})}, read_only)
    except TincError:
        raise
    except (ValueError, TypeError) as error:  # what file systems say of options
        raise ConfigurationError(f"{url} cannot be opened with {options or 'no storage_options'}: {error}") from error
    if is_of_this_process(store):
        raise ConfigurationError(f"{url} is in the memory of this process, which workers cannot see: use another store")
    return store


def is_of_this_process(store: Store) -> bool:
    """Whether no other process can see what a store holds."""
    protocol = getattr(getattr(store, "fs", None), "protocol", ())
    return isinstance(store, MemoryStore) or "memory" in ((protocol,) if isinstance(protocol, str) else protocol)


class UrlStore(WrapperStore[Store]):
    """A store that a URL names, and that raises one kind of error.

    Parameters
    ----------
    store
        What the URL names.
    url
        For people.
    error
        What is raised where the store raises.
    """

    def __init__(self, store: Store, url: str, error: type[JobError]) -> None:
        super().__init__(store)
        self.url, self._error = url.rstrip("/"), error

    @override
    def with_read_only(self, read_only: bool = False) -> UrlStore:
        return UrlStore(self._store.with_read_only(read_only), self.url, self._error)

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    __hash__ = None  # type: ignore[assignment]  # as that of the store in it

    @property
    def fs(self) -> Any:
        """The file system that fsspec made."""
        return getattr(self._store, "fs", None)

    @property
    def path(self) -> str:
        """Where it is in its file system."""
        return str(getattr(self._store, "path", ""))

    def elsewhere(self, path: str) -> UrlStore:
        """Another path of the same file system, for reading."""
        return UrlStore(FsspecStore(self.fs, read_only=True, path=path), path, self._error)

    @contextmanager
    def _explained(self, what: str, key: str) -> Iterator[None]:
        """Raise the store's kind of error; file systems raise what their client libraries do, not `OSError` alone."""
        try:
            yield
        except JobError:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise self._error(f"{self.url}/{key} could not be {what}: {reason}") from error

    @override
    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        with self._explained("read", key):
            return await self._store.get(key, prototype, byte_range)

    @override
    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        ranges = list(key_ranges)
        with self._explained("read", ranges[0][0] if ranges else ""):
            return await self._store.get_partial_values(prototype, ranges)

    @override
    async def exists(self, key: str) -> bool:
        with self._explained("read", key):
            return await self._store.exists(key)

    @override
    async def set(self, key: str, value: Buffer) -> None:
        with self._explained("written", key):
            await self._store.set(key, value)

    @override
    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        with self._explained("written", key):
            await self._store.set_if_not_exists(key, value)

    @override
    async def delete(self, key: str) -> None:
        with self._explained("deleted", key):
            await self._store.delete(key)

    @override
    async def list(self) -> AsyncIterator[str]:
        async for key in self.list_prefix(""):
            yield key

    @override
    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        with self._explained("listed", prefix):
            async for key in self._store.list_prefix(prefix):
                yield key

    @override
    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        with self._explained("listed", prefix):
            async for key in self._store.list_dir(prefix):
                yield key
