"""Metadata of arrays as a reader needs them that has no codec of ours: pure functions from JSON to JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinc_codec.hosts.shards import SHARDING
from tinc_codec.hosts.stored import is_compressed, parse_document
from tinc_codec.serve.codecs import ServedCodec
from tinc_codec.serve.paths import split

Document = Mapping[str, Any]


def rewritten(key: str, stored: bytes, codec: ServedCodec) -> bytes:
    """One of Zarr's documents as it is served; what names no codec of ours comes as it is stored.

    Parameters
    ----------
    key
        Ends with ``zarr.json``, ``.zarray``, ``.zmetadata``, or the name of one that says nothing of codecs.
    stored
        Its bytes.
    codec
        What chunks are served with.

    Raises
    ------
    ConfigurationError
        It is not JSON.
    """
    name = split(key)[1]
    if name not in ("zarr.json", ".zarray", ".zmetadata"):
        return stored
    document = parse_document(stored, key)
    served: Document = document
    if name == ".zmetadata":
        served = _consolidated(document, codec)
    elif name == ".zarray" or document.get("node_type") == "array":
        served = plain_array(document, codec)
    elif isinstance(document.get("consolidated_metadata"), Mapping):
        served = {**document, "consolidated_metadata": _consolidated(document["consolidated_metadata"], codec)}
    return stored if served == document else json.dumps(served, indent=2).encode()


def _consolidated(document: Document, codec: ServedCodec) -> dict[str, Any]:
    metadata = {key: _node(key, node, codec) for key, node in document["metadata"].items()}
    return {**document, "metadata": metadata}


def _node(key: str, node: Document, codec: ServedCodec) -> Document:
    is_array = key.rpartition("/")[2] == ".zarray" or node.get("node_type") == "array"
    return plain_array(node, codec) if is_array else node


def plain_array(document: Document, codec: ServedCodec) -> Document:
    """An array's document as it is served; another's than TINC's as it is."""
    if not is_compressed(document):
        return document
    if document["zarr_format"] == 2:
        return {**document, "filters": None, "compressor": codec.in_format_2()}
    return recoded(unsharded(document), codec)


def recoded(document: Document, codec: ServedCodec) -> Document:
    """A document of format 3 with the codecs that chunks are served with."""
    return {**document, "codecs": codec.in_format_3(dtype_of(document).itemsize)}


def unsharded(document: Document) -> Document:
    """An array of shards as one of the chunks in them, each of which can be decoded, and asked for, by itself.

    A shard cannot be served as one: the sizes of its chunks as they are served, which its index must say, are known
    only when all of them are encoded. Where codecs come before or after the sharding, it stays as it is.
    """
    if document["zarr_format"] == 2 or [codec["name"] for codec in document["codecs"]] != [SHARDING]:
        return document
    settings = document["codecs"][0]["configuration"]
    grid = {"name": "regular", "configuration": {"chunk_shape": list(settings["chunk_shape"])}}
    return {**document, "chunk_grid": grid, "codecs": settings["codecs"]}


def dtype_of(document: Document) -> np.dtype[Any]:
    """The dtype of an array whose chunks are TINC's: integers and floats, with their byte order on the wire."""
    if document["zarr_format"] == 2:
        return np.dtype(document["dtype"])
    return np.dtype(document["data_type"]).newbyteorder("<")
