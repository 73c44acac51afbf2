"""What a source is, to be compared with what it is later: metadata, keys of chunks, sizes and times of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zarr.storage import StorePath

from tinc_codec.errors import ConfigurationError, SourceError
from tinc_codec.jobs.inventory import Inventory, take_inventory
from tinc_codec.jobs.presence import File
from tinc_codec.jobs.source_tree import SourceTree

Nodes = dict[str, dict[str, Any]]

_ATTRIBUTES = ("attributes", "consolidated_metadata")


@dataclass(frozen=True)
class Snapshot:
    """A source at one time.

    Parameters
    ----------
    nodes
        For each array or group a digest of its metadata and, of arrays, the number of chunks that are stored and a
        digest of their keys; for a file its size. Comparable with that of another run, and JSON.
    files
        Digest of sizes and times of its files, where it is local: comparable within a run.
    """

    nodes: Nodes
    files: str


def take_snapshot(source: SourceTree) -> Snapshot:
    """The source as it was when it was opened.

    Raises
    ------
    SourceError
        A file of it has gone.
    """
    if source.inventory is not None:
        return Snapshot(_nodes(source.inventory), _files(source.directory, source.inventory))
    paths = [getattr(member.reader, "path", None) for member in source.members]
    files = [File.of(path) for path in dict.fromkeys(paths) if isinstance(path, str)]
    return Snapshot({file.path: {"size": file.size} for file in files}, _digest(map(str, files)))


def check_unchanged(source: SourceTree, before: Snapshot) -> None:
    """Raise `SourceError` unless a source is what it was.

    Parameters
    ----------
    source
        As it was opened.
    before
        Taken then.
    """
    if not source.members:
        return
    now = take_snapshot(source if source.inventory is None else _opened_again(source))
    wrong = difference(before.nodes, now.nodes)
    if wrong is None and before.files != now.files:
        wrong = "files of it were written to"
    if wrong is not None:
        raise SourceError(f"source {source.name} has changed since the job was planned: {wrong}")


def _opened_again(source: SourceTree) -> SourceTree:
    try:
        return replace(source, inventory=take_inventory(_root(source)))
    except (ConfigurationError, OSError) as error:
        raise SourceError(f"source {source.name} cannot be looked at again: {error}") from error


def _root(source: SourceTree) -> StorePath:
    array = source.members[0].array
    assert array is not None
    place = array.store_path
    return StorePath(place.store, place.path.removesuffix(source.members[0].path).rstrip("/"))


def difference(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What is not as it was, in words; None: nothing."""
    for path in sorted(before.keys() | now.keys()):
        then, here = before.get(path), now.get(path)
        if then == here:
            continue
        name = path or "the array"
        if here is None:
            return f"{name} is not there any more"
        if then is None:
            return f"{name} is new"
        if then.get("chunks") != here.get("chunks"):
            return f"{name} has {here.get('chunks')} chunks, and had {then.get('chunks')}"
        if then.get("size") != here.get("size"):
            return f"{name} has {here.get('size')} bytes, and had {then.get('size')}"
        return f"{name} has other {'metadata' if then.get('metadata') != here.get('metadata') else 'chunks'}"
    return None


def _nodes(inventory: Inventory) -> Nodes:
    nodes: Nodes = {}
    for path, node in inventory.nodes.items():
        # attributes are written anew by each run, and the account compares them within one
        described = {key: value for key, value in node.document.items() if key not in _ATTRIBUTES}
        text = json.dumps(described, sort_keys=True, default=str)
        nodes[path] = {"metadata": _digest([text])}
        if path in inventory.chunks:
            keys = inventory.chunks[path]
            nodes[path] |= {"chunks": len(keys), "keys": _digest(sorted(keys))}
    return nodes


def _files(directory: Path | None, inventory: Inventory) -> str:
    if directory is None:
        return ""
    keys = [
        node.key(name)
        for path, node in inventory.nodes.items()
        for name in (*node.files, *inventory.chunks.get(path, ()))
    ]
    return _digest(str(File.of(str(directory / key))) for key in sorted(keys))


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]
