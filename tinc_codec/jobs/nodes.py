"""Nodes of a hierarchy, as their metadata files describe them, of either Zarr format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tinc_codec.errors import ConfigurationError

Documents = Mapping[str, Mapping[str, Any]]
"""Metadata files as parsed, by key."""

METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
"""Names of the files that describe a node."""

DESCRIBING = ("zarr.json", ".zarray", ".zgroup")
"""Names of the files that make a folder a node."""

CONSOLIDATED = ".zmetadata"
"""Name of format 2's file of consolidated metadata."""


@dataclass(frozen=True)
class Node:
    """An array or a group.

    Parameters
    ----------
    path
        Below the inventory's root; empty for the root.
    kind
        Which of both.
    zarr_format
        Of its description; a group that is described in both formats counts as 3.
    document
        ``zarr.json``, ``.zarray`` or ``.zgroup``, as parsed.
    attributes
        Of both formats, where a group has both.
    files
        Names of its metadata files.
    """

    path: str
    kind: Literal["array", "group"]
    zarr_format: int
    document: Mapping[str, Any]
    attributes: Mapping[str, Any]
    files: tuple[str, ...]

    @property
    def described(self) -> dict[str, Any]:
        """The document with the attributes in it, as `zarr.AsyncArray` takes it."""
        return {**self.document, "attributes": dict(self.attributes)}

    def key(self, name: str) -> str:
        """The key of a file or chunk of this node, below the inventory's root."""
        return f"{self.path}/{name}" if self.path else name


def parse_documents(store: str, read: Mapping[str, bytes]) -> dict[str, Mapping[str, Any]]:
    """Parse metadata files by key."""
    documents: dict[str, Mapping[str, Any]] = {}
    for key, data in read.items():
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"{store}/{key} is not JSON ({error}): mend or remove it") from error
        if not isinstance(document, dict):
            raise ConfigurationError(f"{store}/{key} is not a JSON object: mend or remove it")
        documents[key] = document
    return documents


def nodes_of(store: str, documents: Documents) -> dict[str, Node]:
    """The nodes that metadata files describe."""
    by_folder: dict[str, dict[str, Mapping[str, Any]]] = {}
    for key, document in documents.items():
        folder, _, name = key.rpartition("/")
        by_folder.setdefault(folder, {})[name] = document
    nodes = ((path, _node(f"{store}/{path}".rstrip("/"), path, by_folder[path])) for path in sorted(by_folder))
    return {path: node for path, node in nodes if node is not None}


def _node(where: str, path: str, documents: Documents) -> Node | None:
    newer = documents.get("zarr.json")
    describing = [name for name in DESCRIBING if name in documents]
    if not describing:
        return None
    if newer is not None and (newer.get("zarr_format") != 3 or newer.get("node_type") not in ("array", "group")):
        raise ConfigurationError(f"{where}/zarr.json describes neither an array nor a group of Zarr format 3")
    kinds = {"group" if name == ".zgroup" else "array" for name in describing if name != "zarr.json"}
    kinds |= {str(newer["node_type"])} if newer is not None else set()
    if len(kinds) > 1 or (kinds == {"array"} and len(describing) > 1):
        raise ConfigurationError(f"{where} is described twice, by {' and '.join(describing)}: remove the wrong one")
    for name in ("attributes", "consolidated_metadata"):
        if not isinstance((newer or {}).get(name) or {}, Mapping):
            raise ConfigurationError(f"{where}/zarr.json has {name} that are not a JSON object: mend them")
    older = {} if describing == ["zarr.json"] else documents.get(".zattrs", {})
    attributes = {**older, **((newer or {}).get("attributes") or {})}
    document = documents[describing[0]]
    files = tuple(name for name in METADATA if name in documents and (name != ".zattrs" or describing != ["zarr.json"]))
    kind: Literal["array", "group"] = "array" if "array" in kinds else "group"
    return Node(path, kind, 2 if newer is None else 3, document, attributes, files)


def consolidated_of(nodes: Mapping[str, Node], documents: Documents) -> dict[str, Mapping[str, Any]]:
    """Consolidated metadata of each group that has some: documents of format 2 by file, of format 3 by path."""
    consolidated = {}
    for path, node in nodes.items():
        older = documents.get(node.key(CONSOLIDATED))
        inline = node.document.get("consolidated_metadata") if node.zarr_format == 3 else None
        if node.kind == "group" and older is not None and ".zgroup" in node.files:
            consolidated[path] = older.get("metadata") or {}
        if node.kind == "group" and inline:
            consolidated[path] = inline.get("metadata") or {}
        if path in consolidated and len(set(node.files) & set(DESCRIBING)) > 1:
            raise ConfigurationError(
                f"group {path or '/'!r} is described in both Zarr formats, and has consolidated metadata: remove those"
            )
    return consolidated
