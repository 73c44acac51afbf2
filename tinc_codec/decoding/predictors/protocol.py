"""What every predictor does: samples of a chunk, whole and in parts, with the same bytes in each way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from tinc_codec.tree.runs import Positions


@dataclass(frozen=True)
class TreeLevel:
    """One level of a chunk's tree."""

    grid: tuple[int, ...]
    nodes: int
    constant: int
    layers: int
    widths: dict[int, int]  # width -> nodes that have it
    parameters: int


@dataclass(frozen=True)
class Description:
    """What a predictor says of itself, for `tinc_codec.inspect`.

    Parameters
    ----------
    name
        For people.
    levels
        Of its tree, root first; empty where it has none.
    leaf_shape
        Voxels of the largest leaf along each axis.
    parameters
        Number of its weights and biases.
    detail
        The plan of its coefficients and what they take, where it has any.
    """

    name: str
    levels: tuple[TreeLevel, ...] = ()
    leaf_shape: tuple[int, ...] = ()
    parameters: int = 0
    detail: dict[str, Any] | None = None


class Predictor(Protocol):
    """Gives samples in a chunk's folded shape and native dtype.

    Positions are in voxels: voxel i has its centre at i.
    """

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""

    def whole(self) -> NDArray[Any]:
        """All samples."""

    def at_product(self, positions: Sequence[Positions]) -> NDArray[Any]:
        """Samples at the product of positions along each axis."""

    def at_points(self, positions: Positions) -> NDArray[Any]:
        """Samples at single positions, ``(axes, points)``; fractions lie between voxels."""

    def at_level(self, level: tuple[int, ...], centres: Sequence[Positions]) -> NDArray[Any]:
        """One sample for each cell of a coarser level.

        Parameters
        ----------
        level
            For each axis k, as cells are 2^k voxels wide; 0 where axes are merged: each position is a voxel's there.
        centres
            Of the cells along each axis.
        """

    def describe(self) -> Description:
        """What it is."""
