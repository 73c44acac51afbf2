"""Metadata files of a destination's groups, as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tinc_codec.jobs.nodes import Node
from tinc_codec.jobs.objects import join


def group_documents(groups: Mapping[str, Node], zarr_format: int | None, read: Mapping[str, bytes]) -> dict[str, bytes]:
    """Metadata files of groups, by key, in a Zarr format, or None: as they are, in whichever formats that is.

    Consolidated metadata are not in them: those of a source say what its arrays were.

    Parameters
    ----------
    groups
        The source's.
    zarr_format
        What was asked for.
    read
        The source's own metadata files.
    """
    written: dict[str, bytes] = {}
    for node in groups.values():
        if zarr_format in (None, node.zarr_format):
            kept = [name for name in node.files if zarr_format is None or (name == "zarr.json") == (zarr_format == 3)]
            written |= {node.key(name): read[node.key(name)] for name in kept}
            if "consolidated_metadata" in node.document:
                document = {k: v for k, v in node.document.items() if k != "consolidated_metadata"}
                written[node.key("zarr.json")] = as_json(document)
        else:
            written |= new_group(node.path, zarr_format, node.attributes)
    return written


def new_group(path: str, zarr_format: int, attributes: Mapping[str, Any]) -> dict[str, bytes]:
    """Metadata files of a group, by key."""
    if zarr_format == 3:
        document = {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)}
        return {join(path, "zarr.json"): as_json(document)}
    return {join(path, ".zgroup"): as_json({"zarr_format": 2}), join(path, ".zattrs"): as_json(attributes)}


def same(there: bytes | None, intended: bytes) -> bool:
    """Whether a metadata file says what it is to say; consolidated metadata come last, and are left."""
    if there is None or there == intended:
        return there is not None
    try:
        document = json.loads(there)
    except (ValueError, RecursionError):
        return False
    if isinstance(document, dict):
        document.pop("consolidated_metadata", None)
    return bool(document == json.loads(intended))


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as a metadata file has it."""
    return json.dumps(document, indent=2).encode()
