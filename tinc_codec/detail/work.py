"""What a backend does for coefficients. Every one gives the same integers and bytes: `reference` says which."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.joining import Joining
from tinc_codec.detail.layout import Piece
from tinc_codec.detail.model import Model
from tinc_codec.detail.quantiser import Quantiser, Tally
from tinc_codec.detail.scale import Scale


class Walker(Protocol):
    """Reads and writes the pieces of a chunk, several of them at once if they do not need each other."""

    parallel: bool
    """Whether threads side by side gain: it lets go of the interpreter's lock."""

    magnitudes: NDArray[np.uint8]
    """What the numbers count as, of all bands; of pieces that were not read, quantised or given it is 0."""

    def read(self, piece: Piece, code: bytes) -> None:
        """Decode a piece; its parents are decoded.

        Raises
        ------
        CorruptStreamError
            No encoder wrote this code.
        """

    def write(self, piece: Piece) -> bytes:
        """Code of a piece."""

    def quantise(self, piece: Piece, quantiser: Quantiser) -> Tally:
        """Quantise the coefficients of a piece into the numbers; its parents are quantised."""

    def gather(self, piece: Piece, every: int = 1) -> NDArray[np.float64]:
        """The equations that weights are fitted by, of each pass: shape ``(8, WEIGHTS, WEIGHTS + 1)``.

        Parameters
        ----------
        every
            Of so many coefficients of a pass in order one is looked at, that in the middle.
        """


class Work(Protocol):
    """Who works on coefficients: a module with these functions, the `detail` of a backend."""

    def walker(self, model: Model, numbers: NDArray[np.int32], magnitudes: NDArray[np.uint8] | None = None) -> Walker:
        """Who walks over the pieces of a chunk.

        Parameters
        ----------
        model
            What they are coded with.
        numbers
            All coefficients, see `Layout`; read into, where all are 0 before, or written from.
        magnitudes
            What they count as, of the walker that they are from, so that pieces may be walked in any order; None: all
            numbers are 0.
        """

    def inverse(self, numbers: NDArray[np.int32], joining: Joining, scale: Scale) -> NDArray[np.int32]:
        """A box of samples, in integers of the scale; see `tinc_codec.detail.joining.inverse`."""

    def forward(self, samples: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Low and high half of an axis, in floats."""

    def cost(self, values: NDArray[np.float32], inverse: float) -> float:
        """What a band costs, about; see `tinc_codec.detail.estimate.cost`."""

    def samples(
        self,
        integers: NDArray[np.int32],
        above: NDArray[Any] | None,
        scale: Scale,
        low: Any,
        high: Any,
        out: NDArray[Any],
    ) -> None:
        """Samples from integers; see `tinc_codec.detail.samples.samples`."""

    def pack_mask(self, mask: NDArray[np.bool_]) -> bytes:
        """Code of a mask; see `tinc_codec.detail.mask.pack`."""

    def unpack_mask(self, section: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """A mask from its code; see `tinc_codec.detail.mask.unpack`."""

    def diffuse(self, volume: NDArray[np.float32], known: NDArray[np.bool_], rounds: int) -> None:
        """Let samples diffuse into those that are not known; see `tinc_codec.detail.fill.diffuse`."""
