"""The paper's predictor: a tree of sine layers, evaluated where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends import choice
from tinc_codec.decoding.predictors.protocol import Description, TreeLevel
from tinc_codec.stream.container import Container
from tinc_codec.tree.model import Model
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.root_activations import RootActivations
from tinc_codec.tree.runs import Positions


class SineTree:
    """A model that is laid out for evaluation, with what its root gave at earlier reads.

    Parameters
    ----------
    layout
        The model, node by node.
    """

    def __init__(self, layout: NodeLayout) -> None:
        self.layout = layout
        self.root = RootActivations(layout)

    @classmethod
    def parse(cls, container: Container, shape: tuple[int, ...]) -> Self:
        """Read the model of a chunk whose folded shape is `shape`."""
        return cls(choice.backend().unpack_model(container, shape))

    @property
    def model(self) -> Model:
        """The networks."""
        return self.layout.model

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.layout.nbytes + self.root.nbytes

    def whole(self) -> NDArray[Any]:
        """All samples, where the process names another device than the CPU by torch."""
        return choice.whole(self.layout)

    def at_product(self, positions: Sequence[Positions]) -> NDArray[Any]:
        """Samples at the product of positions along each axis."""
        return choice.backend().at_product(self.layout, positions, self.root)

    def at_points(self, positions: Positions) -> NDArray[Any]:
        """Samples at single positions, ``(axes, points)``."""
        return choice.backend().at_points(self.layout, positions)

    def at_level(self, level: tuple[int, ...], centres: Sequence[Positions]) -> NDArray[Any]:
        """The function's values at the cells' centres, so that a level costs its share of the whole."""
        return choice.backend().at_product(self.layout, centres)

    def describe(self) -> Description:
        """Its levels, root first."""
        tree = self.model.tree
        levels = tuple(map(self._level, range(len(tree.levels))))
        return Description("sine tree", levels, tree.partition.leaf_shape, tree.parameters)

    def _level(self, number: int) -> TreeLevel:
        tree = self.model.tree
        level = tree.levels[number]
        counts = np.bincount(level.classes, minlength=len(level.widths) + 1).tolist()
        widths: dict[int, int] = {}
        for width, count in zip(level.widths, counts[1:], strict=True):
            widths[width] = widths.get(width, 0) + count
        parameters = sum(t.weights + t.biases for t in tree.tensors if t.level == number)
        return TreeLevel(tree.partition.grid(number), sum(counts), counts[0], level.layers, widths, parameters)
