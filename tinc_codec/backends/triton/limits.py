"""Which trees kernels evaluate on a device."""

from __future__ import annotations

from tinc_codec.tree import chains
from tinc_codec.tree.structure import Tree

WIDEST = 32
"""Widest layer that a kernel holds on chip."""

LONGEST = 6
"""Most sine layers of a node."""

_NODES = 65535
"""Most nodes of a chain: programs along the second axis of a launch."""


def refusal(tree: Tree) -> str | None:
    """Why kernels do not evaluate a tree; None: they do."""
    why = chains.refusal(tree, WIDEST)
    if why is not None:
        return why
    if max(level.layers for level in tree.levels) > LONGEST:
        return f"a node has more than {LONGEST} layers"
    if max(t.nodes for t in tree.tensors) > _NODES:
        return f"a level has more than {_NODES} nodes"
    return None
