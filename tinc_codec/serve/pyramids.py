"""Coarser levels that are not stored, as OME-Zarr images: what each key below one is answered with."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from tinc_codec.errors import RequestError, UnsupportedDataError
from tinc_codec.hosts.pyramid import Pyramid, derive
from tinc_codec.serve import answers
from tinc_codec.serve.answers import Answer
from tinc_codec.serve.documents import Document, dtype_of, recoded
from tinc_codec.serve.nodes import Nodes
from tinc_codec.serve.objects import quoted
from tinc_codec.serve.paths import chunk_index
from tinc_codec.serve.plain import ChunkPlace, PlainStore, absent
from tinc_codec.serve.ranges import Conditions

IMAGE = "image.zarr"
"""The name of the view below the path of its array or image."""

_KEY = re.compile(rf"(?:(?P<node>.+)/)?{re.escape(IMAGE)}/(?:(?P<level>\d{{1,3}})/)?(?P<inner>zarr\.json|c(?:/\d+)*)")


class Pyramids:
    """Views of every TINC array, and of every OME-Zarr image whose finest level is one.

    Parameters
    ----------
    nodes
        The arrays and groups.
    plain
        Gives the chunks, as they are stored.
    """

    def __init__(self, nodes: Nodes, plain: PlainStore) -> None:
        self._nodes, self._plain = nodes, plain
        self._derived = lru_cache(maxsize=64)(self._derive)

    def answer(self, key: str, conditions: Conditions) -> Answer:
        """What is sent for a key, ``<path of the node>/image.zarr/<level>/c/0/0``.

        Raises
        ------
        RequestError
            There is no such key, or the node has no coarser levels; as of `PlainStore.answer`.
        """
        match = _KEY.fullmatch(key)
        if match is None:
            raise absent(key)
        level, inner = match["level"], match["inner"]
        view = self.view(match["node"] or "")
        document = view.document("zarr.json" if level is None else f"{level}/zarr.json")
        if document is None or (level is None and inner != "zarr.json"):
            raise absent(key)
        if inner == "zarr.json":
            return self._document(document, conditions)
        index = chunk_index(document, inner)
        if index is None:
            raise absent(key)
        dtype = dtype_of(document)

        def answer(place: ChunkPlace | None) -> Answer:
            if place is None:
                raise absent(key)
            # a chunk of a level is made of the chunk of the finest at the same place in the grid
            return self._plain.encoded_chunk(place, view.levels[int(level)], dtype, "C", conditions)

        return self._plain.settled(lambda: self._plain.chunk_at(view.finest, index), answer)

    def view(self, path: str) -> Derived:
        """The pyramid of the array or image at a path, as it is now.

        Raises
        ------
        RequestError
            The node has no coarser levels, or there is none.
        """
        finest, _, _ = self._nodes.finest(path)
        return self._derived(path, self._nodes.documents(path), self._nodes.documents(finest))

    def _derive(self, path: str, *_: tuple[bytes | None, ...]) -> Derived:
        """Made again when a document changes."""
        finest, array, attributes = self._nodes.finest(path)
        try:
            return Derived(finest, derive(array, dict(attributes)))
        except UnsupportedDataError as error:
            raise RequestError(str(error), 404) from error

    def _document(self, document: Document, conditions: Conditions) -> Answer:
        is_array = document["node_type"] == "array"
        body = json.dumps(recoded(document, self._plain.codec) if is_array else document, indent=2).encode()
        return answers.of_bytes(body, quoted(body), conditions, answers.JSON)


class Derived:
    """The pyramid of an array, and the documents of its view."""

    def __init__(self, finest: str, pyramid: Pyramid) -> None:
        self.finest, self.arrays, self.levels = finest, pyramid.arrays, pyramid.levels
        self._view = pyramid.view()

    def document(self, key: str) -> Document | None:
        """One of Zarr's documents, as JSON."""
        stored = sync(self._view.get(key, default_buffer_prototype()))
        return None if stored is None else dict(json.loads(stored.to_bytes()))
