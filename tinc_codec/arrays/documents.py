"""Metadata files of a destination's groups, as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tinc_codec.arrays.nodes import Node


def group_documents(groups: Mapping[str, Node], zarr_format: int | None) -> dict[str, bytes]:
    """Metadata files of groups, by key, in a Zarr format or as each was.

    Consolidated metadata are not in them: those of a source say what its arrays were.
    """
    written: dict[str, bytes] = {}
    for node in groups.values():
        older = {name for name in node.files if name != "zarr.json"}
        if zarr_format == 3 or (zarr_format is None and "zarr.json" in node.files):
            document = {k: v for k, v in node.document.items() if k != "consolidated_metadata"}
            document = document if node.zarr_format == 3 else {"zarr_format": 3, "node_type": "group"}
            written[node.key("zarr.json")] = as_json({**document, "attributes": dict(node.attributes)})
        if zarr_format == 2 or (zarr_format is None and older):
            written[node.key(".zgroup")] = as_json({"zarr_format": 2})
            if node.attributes or ".zattrs" in older:
                written[node.key(".zattrs")] = as_json(node.attributes)
    return written


def same(there: bytes | None, wanted: bytes) -> bool:
    """Whether a metadata file says what it is to say; consolidated metadata come last, and are left."""
    if there is None or there == wanted:
        return there is not None
    try:
        document = json.loads(there)
    except ValueError:
        return False
    return bool({k: v for k, v in document.items() if k != "consolidated_metadata"} == json.loads(wanted))


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as a metadata file has it."""
    return json.dumps(document, indent=2).encode()
