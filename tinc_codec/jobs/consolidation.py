"""Consolidated metadata: whether a source's say what its files say, and those of a destination."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from tinc_codec.jobs.inventory import Inventory
from tinc_codec.jobs.nodes import CONSOLIDATED, METADATA, Node

log = logging.getLogger("tinc_codec")

_TELLING = ("node_type", "shape", "chunks", "dtype", "chunk_grid", "data_type", "attributes")
"""What of a document is compared: writers fill in the rest's defaults in one place and leave them out in another."""


def check_consolidated(store: str, inventory: Inventory) -> None:
    """Warn where consolidated metadata say otherwise than the files, which count."""
    for group, consolidated in inventory.consolidated.items():
        files = dict(_entries(group, inventory.nodes))
        keys = sorted({*files, *consolidated})
        wrong = [key for key in keys if _telling(key, files.get(key)) != _telling(key, consolidated.get(key))]
        if wrong:
            text = "consolidated metadata of %s say otherwise than the files, which count: %s"
            log.warning(text, f"{store}/{group}".rstrip("/"), ", ".join(wrong[:5]) + (", ..." if wrong[5:] else ""))


def _telling(key: str, document: Any) -> str | None:
    if key.rpartition("/")[-1] == ".zattrs":
        return json.dumps(document or {}, sort_keys=True)
    if not isinstance(document, Mapping):
        return None
    described = {name: value for name, value in document.items() if name in _TELLING and value not in (None, {})}
    return json.dumps(described, sort_keys=True)


def _entries(group: str, nodes: Mapping[str, Node]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What consolidated metadata of a group hold, as zarr writes them: what is reached through groups of its format."""
    for path, node in nodes.items():
        if _reached(path, node.zarr_format, group, nodes):
            yield from entries_of(path[len(group) :].lstrip("/"), node)


def _reached(path: str, zarr_format: int, group: str, nodes: Mapping[str, Node]) -> bool:
    """Whether each folder between a group and a node is a group of the same format."""
    if nodes[group].zarr_format != zarr_format or not f"{path}/".startswith(f"{group}/" if group else ""):
        return False
    while path != group:
        path = path.rpartition("/")[0]
        outer = nodes.get(path)
        if outer is None or outer.kind != "group" or outer.zarr_format != zarr_format:
            return False
    return True


def entries_of(path: str, node: Node) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A node's entries in consolidated metadata of its own format, by path or by file."""
    if node.zarr_format == 3:
        if path:
            yield path, {k: v for k, v in node.document.items() if k != "consolidated_metadata"}
        return
    for name in node.files:
        if name in METADATA:
            yield (f"{path}/{name}" if path else name), (node.attributes if name == ".zattrs" else node.document)


def consolidated_documents(group: str, nodes: Mapping[str, Node]) -> tuple[str, dict[str, Any]]:
    """The file of a group's consolidated metadata, and what is in it.

    Parameters
    ----------
    group
        Its path.
    nodes
        All nodes of the store that can be opened.
    """
    entries = dict(_entries(group, nodes))
    node = nodes[group]
    if node.zarr_format == 2:
        return node.key(CONSOLIDATED), {"zarr_consolidated_format": 1, "metadata": entries}
    inline = {"kind": "inline", "must_understand": False, "metadata": entries}
    return node.key("zarr.json"), {**node.document, "consolidated_metadata": inline}
