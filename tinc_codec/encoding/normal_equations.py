"""Weighted least squares, gathered part by part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class NormalEquations:
    """Normal equations of a weighted least-squares problem."""

    def __init__(self, matrix: NDArray[np.float64], right: NDArray[np.float64]) -> None:
        self.matrix, self.right = matrix, right

    @classmethod
    def of(cls, rows: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]) -> NormalEquations:
        """Those of equations: `rows` is (unknowns, equations)."""
        weighted = rows * weight
        return cls(weighted @ rows.T, weighted @ target)

    @classmethod
    def total(cls, parts: list[NormalEquations]) -> NormalEquations:
        """Those of all equations of some."""
        return cls(np.sum([part.matrix for part in parts], 0), np.sum([part.right for part in parts], 0))

    def solve(self) -> NDArray[np.float64]:
        """Solve, with a ridge that only matters where the equations say nothing."""
        size = np.sqrt(np.diag(self.matrix))
        size = np.where(size > 0, size, 1.0)
        scaled = self.matrix / np.outer(size, size) + 1e-6 * np.eye(len(size))
        return np.asarray(np.linalg.solve(scaled, self.right / size) / size)
