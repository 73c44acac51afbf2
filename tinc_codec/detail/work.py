"""What a backend does for coefficients. Every one decodes to the same integers: `reference` says which.

Hosts write the same bytes, too. A device's may differ where a choice hangs on the last bits of a sum of floats.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.joining import Joining
from tinc_codec.detail.layout import Piece
from tinc_codec.detail.model import Model
from tinc_codec.detail.packet import Transform
from tinc_codec.detail.quantiser import Quantiser, Tally
from tinc_codec.detail.sample import Sample
from tinc_codec.detail.scale import Scale


class Coder(Protocol):
    """Quantises and codes the pieces of a chunk, where the work is done."""

    magnitudes: Any
    """What the numbers count as, of all bands; of pieces that were not read, quantised or given it is 0."""

    def tally(self, sample: Sample, quantiser: Quantiser) -> Tally:
        """Quantise the coefficients of some pieces into the numbers; each counts as often as its weight says."""

    def equations(self, sample: Sample, every: int = 1) -> NDArray[np.float64]:
        """The equations that weights are fitted by, of some pieces, each with its weight; see `Walker.gather`."""

    def codes(self) -> list[bytes]:
        """Code of every piece."""


class Walker(Coder, Protocol):
    """Reads and writes single pieces, several of them at once if they do not need each other."""

    parallel: bool
    """Whether threads side by side gain: it lets go of the interpreter's lock."""

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


class EncodingWork(Transform, Protocol):
    """Who transforms, quantises and codes, on the host or on a device; arrays lie where it works, unless it says so."""

    def placed(self, values: NDArray[Any]) -> Any:
        """An array of the host's, where the work is done."""

    def on_host(self, values: Any) -> NDArray[Any]:
        """The same the other way."""

    def flat(self, bands: list[Any]) -> Any:
        """Coefficients of all bands one after the other."""

    def cost(self, values: Any, inverse: float) -> float:
        """What a band costs, about; see `tinc_codec.detail.estimate.cost`."""

    def walker(self, model: Model, numbers: Any, magnitudes: Any = None) -> Coder:
        """Who quantises and codes the pieces of a chunk; see `Work.walker`."""

    def inverse(self, numbers: Any, joining: Joining, scale: Scale) -> Any:
        """A box of samples, in integers of the scale; see `tinc_codec.detail.joining.inverse`."""


class Work(EncodingWork, Protocol):
    """Who does all that there is to do with coefficients: a module with these functions, the `detail` of a backend."""

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
