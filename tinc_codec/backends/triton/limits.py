"""Which trees kernels evaluate on a device."""

from __future__ import annotations

from tinc_codec.tree.structure import Tree

WIDEST = 32
"""Widest layer that a kernel holds on chip."""

LONGEST = 6
"""Most sine layers of a node."""

_NODES = 65535
"""Most nodes of a chain: programs along the second axis of a launch."""


def refusal(tree: Tree) -> str | None:
    """Why kernels do not evaluate a tree; None: they do."""
    if not len(tree.leaves):
        return "it has no networks"
    widest = max(max(t.rows, t.columns) for t in tree.tensors)
    if widest > WIDEST:
        return f"a layer of {widest} is wider than {WIDEST}"
    if max(level.layers for level in tree.levels) > LONGEST:
        return f"a node has more than {LONGEST} layers"
    if max(t.nodes for t in tree.tensors) > _NODES:
        return f"a level has more than {_NODES} nodes"
    return None
