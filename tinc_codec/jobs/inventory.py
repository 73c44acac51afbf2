"""What a Zarr store holds: what its files say, and neither a listing of zarr's nor consolidated metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zarr.storage import StorePath

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.chunk_keys import chunk_keys
from tinc_codec.jobs.discovery import discover, named_paths
from tinc_codec.jobs.nodes import CONSOLIDATED, METADATA, Node, consolidated_of, nodes_of, parse_documents
from tinc_codec.jobs.objects import folders, join, listable, read_objects, shown

_DESCRIBING = frozenset({*METADATA, CONSOLIDATED})


@dataclass(frozen=True)
class Inventory:
    """What lies below a path of a store.

    Parameters
    ----------
    nodes
        Groups and arrays by path, wherever they are; groups without metadata are not among them.
    chunks
        For each array the keys of its stored chunks or shards, relative to it. Where it is not known
        how its chunks are named, every object below it.
    outside
        For each array that has any: keys like those of chunks, but outside of the array's grid or written otherwise.
    foreign
        Keys of objects that belong to no node.
    consolidated
        Paths of the groups that have consolidated metadata of their own, and these: documents by their key.
    listed
        Whether the store was listed; else chunks and foreign objects are not known.
    """

    nodes: Mapping[str, Node]
    chunks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    outside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    consolidated: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    listed: bool = True

    @property
    def arrays(self) -> dict[str, Node]:
        """The nodes that are arrays."""
        return {path: node for path, node in self.nodes.items() if node.kind == "array"}

    @property
    def groups(self) -> dict[str, Node]:
        """The nodes that are groups."""
        return {path: node for path, node in self.nodes.items() if node.kind == "group"}


def take_inventory(place: StorePath) -> Inventory:
    """List everything below a path of a store and read its metadata files.

    Raises
    ------
    ConfigurationError
        A metadata file cannot be understood, a node is described twice, or a link leads nowhere.
    """
    if not listable(place):
        nodes, foreign, consolidated = discover(place)
        return Inventory(nodes, foreign=foreign, consolidated=consolidated, listed=False)
    listed = dict(folders(place))
    keys = [join(folder, name) for folder, names in listed.items() for name in names if name in _DESCRIBING]
    documents = parse_documents(shown(place), read_objects(place, keys))
    nodes = nodes_of(shown(place), documents)
    consolidated = consolidated_of(nodes, documents)
    _check_listing(place, nodes, consolidated)
    chunks, outside, foreign = _sorted_out(nodes, listed)
    return Inventory(nodes, chunks, outside, foreign, consolidated)


def _check_listing(place: StorePath, nodes: Mapping[str, Node], consolidated: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `ConfigurationError` where a node is there that the listing does not show: chunks may lack as well."""
    lacking = {"", *named_paths(nodes, consolidated)} - set(nodes)
    late = read_objects(place, [join(path, name) for path in lacking if not path.startswith("..") for name in METADATA])
    if late:
        raise ConfigurationError(
            f"{min(late)} is in {shown(place)}, whose listing does not show it: the listing comes late, and may lack "
            "chunks too; wait until it is complete, and run it again"
        )


def _sorted_out(
    nodes: Mapping[str, Node], listed: Mapping[str, list[str]]
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]], tuple[str, ...]]:
    """Whose objects they are: chunks by array, keys outside of its grid by array, and what belongs to no node."""
    known = {path: chunk_keys(node.document) for path, node in nodes.items() if node.kind == "array"}
    chunks: dict[str, list[str]] = {path: [] for path in known}
    outside: dict[str, list[str]] = {}
    foreign: list[str] = []
    owners: dict[str, str | None] = {}
    for folder, names in listed.items():
        owner = _owner(folder, nodes, owners)
        inner = folder if not owner else folder[len(owner) :].lstrip("/")
        for name in names:
            if _is_metadata(folder, name, nodes):
                continue
            if owner is None or owner not in known:
                foreign.append(join(folder, name))
                continue
            key, keys = join(inner, name), known[owner]
            kind = "chunk" if keys is None else keys.kind(key)
            if kind == "foreign":
                foreign.append(join(folder, name))
            else:
                (chunks[owner] if kind == "chunk" else outside.setdefault(owner, [])).append(key)
    return _frozen(chunks), _frozen(outside), tuple(sorted(foreign))


def _frozen(keys: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    return {path: frozenset(some) for path, some in keys.items()}


def _is_metadata(folder: str, name: str, nodes: Mapping[str, Node]) -> bool:
    node = nodes.get(folder)
    return node is not None and (name in node.files or (name == CONSOLIDATED and ".zgroup" in node.files))


def _owner(folder: str, nodes: Mapping[str, Node], owners: dict[str, str | None]) -> str | None:
    """The node that a folder lies in or is."""
    if folder not in owners:
        if folder in nodes:
            owners[folder] = folder
        else:
            owners[folder] = _owner(folder.rpartition("/")[0], nodes, owners) if folder else None
    return owners[folder]
