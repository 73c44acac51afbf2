"""How large the tiles are that a kernel works on, by the widths of a chain's layers."""

from __future__ import annotations

from typing import Any

from tinc_codec.tree.chains import Chain

_SMALLEST = 16
"""Rows and columns that a tensor core takes, at least."""

_POINTS = {16: 64, 32: 32}
"""Points of a tile by the width that its layers are padded to, so that its activations stay in registers."""


def block(width: int) -> int:
    """The power of 2 that a layer of this width is padded to."""
    return max(_SMALLEST, 1 << (width - 1).bit_length())


def constants(chain: Chain, precision: str) -> dict[str, Any]:
    """What a kernel is compiled for: widths and points of a tile, layers, and how products are done."""
    wide, columns = block(chain.width), block(chain.columns)
    return {
        "LAYERS": chain.layers,
        "LINEAR": chain.linear,
        "TILE": min(_POINTS[wide], _POINTS[columns]),
        "WIDE": columns,
        "BLOCK": wide,
        "PRODUCT": precision,
        "num_stages": 1,  # what is loaded ahead would take the registers of what is held
    }
