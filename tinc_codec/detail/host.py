"""What the host's workers have in common: arrays lie where they are, and pieces are walked one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.model import Model
from tinc_codec.detail.quantiser import Quantiser, Tally
from tinc_codec.detail.sample import Sample
from tinc_codec.detail.schedule import over

if TYPE_CHECKING:
    from tinc_codec.detail.work import Walker


def placed(values: NDArray[Any]) -> NDArray[Any]:
    """The array itself."""
    return values


def on_host(values: NDArray[Any]) -> NDArray[Any]:
    """The array itself."""
    return values


def flat(bands: list[NDArray[Any]]) -> NDArray[Any]:
    """Coefficients of all bands one after the other."""
    return np.concatenate([band.ravel() for band in bands])


class ByPiece:
    """What a walker does with some pieces, where it walks over each by itself: the base of both.

    Parameters
    ----------
    model
        What they are coded with.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    def tally(self: Walker, sample: Sample, quantiser: Quantiser) -> Tally:
        """See `tinc_codec.detail.work.Coder`."""
        layout = sample.layout
        work = lambda number: self.quantise(layout.pieces[number], quantiser)  # noqa: E731
        return Tally.total(over(layout, sample.pieces, self.parallel, work), sample.weights)

    def equations(self: Walker, sample: Sample, every: int = 1) -> NDArray[np.float64]:
        """See `tinc_codec.detail.work.Coder`."""
        layout = sample.layout
        each = over(layout, sample.pieces, self.parallel, lambda number: self.gather(layout.pieces[number], every))
        return np.asarray(np.tensordot(sample.weights, np.stack(each), 1))

    def codes(self: Any) -> list[bytes]:
        """See `tinc_codec.detail.work.Coder`."""
        layout = self._model.layout
        return over(layout, range(len(layout.pieces)), self.parallel, lambda number: self.write(layout.pieces[number]))
