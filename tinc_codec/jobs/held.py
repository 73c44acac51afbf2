"""A store whose metadata are held back: chunks go to it at once, documents when all of them are there and verified.

A store without renames cannot be written beside its place and put there in one step. But nothing is an array without
its metadata, so a reader finds nothing until these are written: a group's after its children's, the root's last.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable
from typing import Any

from typing_extensions import override
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from tinc_codec.hosts.stores import UrlStore
from tinc_codec.jobs.nodes import CONSOLIDATED, METADATA

_LATE = (".zattrs", CONSOLIDATED, ".zgroup", ".zarray", "zarr.json")
"""A node's documents in the order in which they are published: what makes it a node comes last."""


def is_document(key: str) -> bool:
    """Whether a key is that of a metadata document."""
    return key.rpartition("/")[2] in (*METADATA, CONSOLIDATED)


def waves(keys: Iterable[str]) -> list[list[str]]:
    """Documents in the order of publishing: children before their parents, the root last; each wave at the same time.

    Removed in the opposite order, what is left is never without its children either.
    """

    def turn(key: str) -> tuple[int, int]:
        folder, _, name = key.rpartition("/")
        return -len(folder.split("/")) if folder else 0, _LATE.index(name)

    return [list(wave) for _, wave in itertools.groupby(sorted(keys, key=turn), key=turn)]


class HeldStore(UrlStore):
    """A destination's store as the job sees it: with the documents that are held back.

    Pickled, it is without them: a worker has its array's metadata, and writes chunks.

    Parameters
    ----------
    store
        Where chunks go.
    documents
        Metadata documents by key; those that are written are entered here.
    """

    def __init__(self, store: UrlStore, documents: dict[str, Buffer] | None = None) -> None:
        super().__init__(store._store, store.url, store._error)
        self.store, self.documents = store, {} if documents is None else documents

    def __reduce__(self) -> tuple[Any, ...]:
        return HeldStore, (self.store,)

    @override
    def with_read_only(self, read_only: bool = False) -> HeldStore:
        return HeldStore(self.store.with_read_only(read_only), self.documents)

    @override
    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        if is_document(key):
            return self.documents.get(key)
        return await super().get(key, prototype, byte_range)

    @override
    async def exists(self, key: str) -> bool:
        return key in self.documents if is_document(key) else await super().exists(key)

    @override
    async def set(self, key: str, value: Buffer) -> None:
        if is_document(key):
            self.documents[key] = value
        else:
            await super().set(key, value)

    @override
    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if is_document(key):
            self.documents.setdefault(key, value)
        else:
            await super().set_if_not_exists(key, value)

    @override
    async def delete(self, key: str) -> None:
        if is_document(key):
            self.documents.pop(key, None)
        else:
            await super().delete(key)

    @override
    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        for key in list(self.documents):
            if key.startswith(prefix):
                yield key
        async for key in super().list_prefix(prefix):
            if not is_document(key):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names of what documents describe, which is what Zarr walks; the store itself is not asked."""
        above = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
        inner = (key.removeprefix(above) for key in list(self.documents) if key.startswith(above))
        for name in dict.fromkeys(key.partition("/")[0] for key in inner):
            yield name
