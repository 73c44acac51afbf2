"""The arrays and groups of a store, as zarr opens them."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import zarr
from zarr.storage import StorePath

from tinc_codec.errors import ConfigurationError, RequestError, TincError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.hosts.opening import open_node
from tinc_codec.serve.objects import StoredObjects
from tinc_codec.serve.paths import METADATA, joined

Node = zarr.Array[Any] | zarr.Group


class Nodes:
    """The nodes below the one that is served, for threads.

    Parameters
    ----------
    root
        That node.
    objects
        Its objects: what they refuse is not opened either.
    """

    def __init__(self, root: Node, objects: StoredObjects) -> None:
        self._store, self._base = root.store_path.store, root.store_path.path
        self._objects = objects

    @property
    def name(self) -> str:
        """Of the node that is served, for people."""
        return str(joined(str(self._store), self._base)).rstrip("/").rpartition("/")[2]

    def documents(self, path: str) -> tuple[bytes | None, ...]:
        """All that a node's metadata are, consolidated ones aside."""
        names = sorted(METADATA - {".zmetadata"})
        return tuple(self._objects.read(joined(path, name)) for name in names)

    def open(self, path: str) -> Node:
        """The array or group at a path, as it is now.

        Raises
        ------
        RequestError
            There is none.
        """
        if not any(self.documents(path)):
            raise RequestError(f"{path or '/'!r} is no array or group of the store", 404)
        try:
            return open_node(StorePath(self._store, joined(self._base, path)), path or "/")
        except ConfigurationError as error:
            raise RequestError(str(error), 500) from error

    def finest(self, path: str) -> tuple[str, zarr.Array[Any], Mapping[str, Any]]:
        """The array at a path, or the finest of the image there, with its own path and the image's attributes.

        Raises
        ------
        RequestError
            There is neither.
        """
        node = self.open(path)
        if isinstance(node, zarr.Array):
            return path, node, {}
        attributes = dict(node.attrs)
        first = ome.first_level(attributes)
        array = None if first is None else self.open(joined(path, first))
        if first is None or not isinstance(array, zarr.Array):
            raise RequestError(f"{path or '/'!r} is a group that is no OME-Zarr image: name one of its arrays", 404)
        return joined(path, first), array, attributes

    def walk(self) -> Iterator[tuple[str, Node | TincError]]:
        """All nodes below the root, itself first, or why one cannot be opened.

        Where a store cannot be listed, those that OME's metadata name.
        """
        waiting, seen = deque([""]), set()
        while waiting:
            path = waiting.popleft()
            if path in seen:
                continue
            seen.add(path)
            try:
                node = self.open(path) if any(self.documents(path)) else None
                children = [] if isinstance(node, zarr.Array) else self._children(path, node)
            except TincError as error:
                yield path, error
                continue
            if node is not None:
                yield path, node
            waiting.extend(children)

    def _children(self, path: str, group: zarr.Group | None) -> list[str]:
        """Paths of what may be nodes below a group, or below a folder that has no metadata."""
        attributes = {} if group is None else dict(group.attrs)
        listed = [name for name in self._objects.names(path) if name not in METADATA and not name.startswith(".")]
        names = listed or [*ome.paths(attributes), *ome.optional_paths(attributes)]
        paths = (posixpath.normpath(joined(path, name)) for name in names)
        return [child for child in paths if not child.startswith("..")]
