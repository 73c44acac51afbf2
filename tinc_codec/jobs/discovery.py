"""What a store holds that cannot be listed, as over HTTP: what its metadata name, from group to group."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from zarr.storage import StorePath

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.jobs.nodes import CONSOLIDATED, METADATA, Documents, Node, consolidated_of, nodes_of, parse_documents
from tinc_codec.jobs.objects import read_objects, shown


def discover(place: StorePath) -> tuple[dict[str, Node], tuple[str, ...], Documents]:
    """Follow the paths that OME and consolidated metadata name.

    Returns
    -------
    nodes, foreign, consolidated
        See `tinc_codec.jobs.inventory.Inventory`.

    Raises
    ------
    ConfigurationError
        A path that metadata name is missing, or no array was found.
    """
    store = shown(place)
    documents: dict[str, Mapping[str, Any]] = {}
    nodes: dict[str, Node] = {}
    pending, optional = set[str](), {""}
    while pending | optional:
        if outside := sorted(path for path in pending if path == ".." or path.startswith("../")):
            raise ConfigurationError(f"{store}/{outside[0]} is named by metadata of {store}, and is not in it")
        paths = pending | optional
        read = read_objects(place, [_join(path, name) for path in paths for name in (*METADATA, CONSOLIDATED)])
        new = parse_documents(store, read)
        described = nodes_of(store, new)
        if lacking := sorted(pending - set(described)):
            raise ConfigurationError(f"{store}/{lacking[0]} is named by metadata of {store}, and is not there")
        documents |= new
        nodes |= described
        consolidated = consolidated_of(described, new)
        groups = [node for node in described.values() if node.kind == "group"]
        pending = named_paths(described, consolidated)
        optional = {_join(node.path, name) for node in groups for name in ome.optional_paths(node.attributes)}
        optional |= {path for node in groups for path in _next_image(node.path, nodes)}
        pending, optional = pending - set(nodes), optional - set(nodes) - pending
    if "" in nodes and nodes[""].kind == "group" and not any(node.kind == "array" for node in nodes.values()):
        raise ConfigurationError(
            f"{store}: nothing was found in this group, and a store over HTTP cannot be listed: name an array or an "
            "OME-Zarr image, or consolidate its metadata"
        )
    foreign = tuple(read_objects(place, ome.documents({path: node.attributes for path, node in nodes.items()})))
    return nodes, foreign, consolidated_of(nodes, documents)


def named_paths(nodes: Mapping[str, Node], consolidated: Documents) -> set[str]:
    """Paths of nodes that consolidated and OME metadata of some groups name."""
    groups = [node for node in nodes.values() if node.kind == "group"]
    paths = {_join(path, name) for path, named in consolidated.items() for name in _consolidated_paths(named)}
    return paths | {_join(node.path, name) for node in groups for name in ome.paths(node.attributes)}


def _join(path: str, name: str) -> str:
    joined = posixpath.normpath("/".join(filter(None, (path, name.lstrip("/")))))
    return "" if joined == "." else joined


def _next_image(path: str, nodes: Mapping[str, Node]) -> Iterable[str]:
    """What follows an image of a collection, whose metadata do not say how many there are."""
    parent, _, name = path.rpartition("/")
    if name.isdecimal() and parent in nodes and ome.is_collection(nodes[parent].attributes):
        yield _join(parent, str(int(name) + 1))


def _consolidated_paths(named: Mapping[str, Any]) -> Iterable[str]:
    """Paths of the nodes that consolidated metadata name, by path or by metadata file."""
    for key in named:
        folder, _, name = key.rpartition("/")
        path = folder if name in METADATA else key
        if path:
            yield path
