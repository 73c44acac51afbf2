"""What gives samples before the residual, one kind a file; a new one is a line in `PREDICTORS`.

May import backends and below. Start with `protocol`.
"""

from __future__ import annotations

from collections.abc import Callable

from tinc_codec.decoding.predictors.detail import DetailPredictor
from tinc_codec.decoding.predictors.protocol import Predictor
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.stream.container import Container, ModelKind

PREDICTORS: dict[ModelKind, Callable[[Container, tuple[int, ...]], Predictor]] = {
    ModelKind.SINE_TREE: SineTree.parse,
    ModelKind.DETAIL: DetailPredictor.parse,
    ModelKind.SINE_TREE_AND_DETAIL: DetailPredictor.parse_sum,
}
"""How a chunk's predictor is read, by the kind in its header; ``ModelKind.NONE`` has none."""


def parse(container: Container, shape: tuple[int, ...]) -> Predictor | None:
    """Read the predictor of a chunk whose folded shape is `shape`; None: it has none.

    Raises
    ------
    CorruptStreamError
        Its sections make no sense.
    """
    kind = container.header.kind
    return PREDICTORS[kind](container, shape) if kind in PREDICTORS else None
