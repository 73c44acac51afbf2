"""What is coded as a residual, and how it is cut into tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual.integer_domain import IntegerDomain

TILE_VOXELS = 2**18
"""Voxels of a tile, about: small enough to be read alone, large enough that borders and code ends cost little."""


_LOOKED_AT = 2**16
"""Voxels that the middle is found among, about."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A chunk's integers, and what the model says of them.

    Parameters
    ----------
    domain
        The domain that they are integers of.
    values
        float64 of integer value, folded shape; what lies where `mask` is False does not matter.
    mask
        Which voxels are coded; None: all.
    model
        The model's samples; None: there is no model.
    """

    domain: IntegerDomain
    values: NDArray[np.float64]
    mask: NDArray[np.bool_] | None
    model: NDArray[Any] | None

    @property
    def middle(self) -> int:
        """The median of what is coded, about: of an even part of it, where it is large."""
        chosen = self.values if self.mask is None else self.values[self.mask]
        chosen = chosen.reshape(-1)[:: max(1, chosen.size // _LOOKED_AT) | 1]
        return int(np.partition(chosen, chosen.size // 2)[chosen.size // 2]) if chosen.size else 0


def tile_grid(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Number of tiles along each axis: about `TILE_VOXELS` each, as near to cubes as the shape has it."""
    edges = list(shape)
    while math.prod(edges) > TILE_VOXELS:
        longest = max(range(len(edges)), key=lambda axis: (edges[axis], axis))
        edges[longest] = -(-edges[longest] // 2)
    return tuple(-(-n // edge) for n, edge in zip(shape, edges, strict=True))


def levels_of(shape: tuple[int, ...], tiles: tuple[int, ...]) -> int:
    """Halvings of the stride that leave about four voxels of the coarsest lattice along a tile's longest axis."""
    longest = max(-(-n // g) for n, g in zip(shape, tiles, strict=True))
    return max(0, (longest - 1).bit_length() - 2)
