"""Classical peers behind one protocol, at fair settings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numcodecs import Blosc
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from tinc_codec.bench.rows import Row, row
from tinc_codec.errors import MissingDependencyError

_CLOSE = 0.998
"""Part of a budget from which on no finer level is looked for."""

_TRIALS = 12
"""Halvings of the range of levels, at most."""


def imagecodecs_module() -> ModuleType:
    """The library that has most of the peers."""
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingDependencyError("it needs imagecodecs: pip install 'tinc-codec[bench]'") from error
    module: ModuleType = imagecodecs  # typed or not, as it is installed or not
    return module


class UnsuitableError(Exception):
    """A peer has no way to code a volume, with the reason."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """What a peer made of a volume: how many bytes it takes, and what its decoder needs."""

    size: int
    data: Any


class Peer(Protocol):
    """A codec whose quality is set by a level, from the finest, with most bytes, to the coarsest; it can be pickled."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def finest(self) -> float:
        """The level of most bytes that is tried."""

    @property
    def coarsest(self) -> float:
        """The level of fewest bytes that it has, larger than `finest`."""

    @property
    def whole(self) -> bool:
        """Whether levels are whole numbers."""

    def encode(self, volume: NDArray[Any], level: float) -> Encoded:
        """Code a volume.

        Raises
        ------
        MissingDependencyError
            Its library is not installed.
        UnsuitableError
            It cannot code such a volume.
        """

    def decode(self, data: Any, like: NDArray[Any]) -> NDArray[Any]:
        """Decode what `encode` made of a volume of this shape, dtype and range."""


def as_stored(values: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Decoded numbers in the dtype of the original, rounded and within its limits for integers."""
    if like.dtype.kind not in "iu":
        return values.astype(like.dtype).reshape(like.shape)
    limits = np.iinfo(like.dtype)
    rounded = np.clip(np.rint(values.astype(np.float64)), limits.min, limits.max)
    return rounded.astype(like.dtype).reshape(like.shape)


@dataclass(frozen=True)
class Volumetric:
    """SPERR, SZ3 or zfp: the level is log2 of an error over the volume's range.

    Parameters
    ----------
    name
        Of the codec.
    function
        imagecodecs' name of it.
    settings
        Arguments of its encoder for an error over the range, and the range.
    finest, coarsest
        Levels.
    """

    name: str
    function: str
    settings: Callable[[float, float], dict[str, Any]]
    finest: float = -20
    coarsest: float = 3
    whole: bool = False

    def encode(self, volume: NDArray[Any], level: float) -> Encoded:
        """See `Peer`."""
        given = as_floats(volume)
        settings = self.settings(2.0**level, float(np.ptp(given)))
        return self.at(given, **settings)

    def at(self, given: NDArray[Any], **settings: Any) -> Encoded:
        """Floats, by other settings."""
        data = bytes(getattr(imagecodecs_module(), f"{self.function}_encode")(given, **settings))
        return Encoded(len(data), data)

    def decode(self, data: bytes, like: NDArray[Any]) -> NDArray[Any]:
        """See `Peer`."""
        decode = getattr(imagecodecs_module(), f"{self.function}_decode")
        known = {} if self.function == "zfp" else {"shape": like.shape, "dtype": as_floats(like).dtype}
        return as_stored(decode(data, **known), like)


def as_floats(volume: NDArray[Any]) -> NDArray[Any]:
    """float32 where that holds every sample of the dtype, else float64."""
    exact = np.can_cast(volume.dtype, np.float32)
    return np.ascontiguousarray(volume, np.float32 if exact else np.float64)


def _sperr(error: float, _: float) -> dict[str, Any]:
    return {"level": -20 * math.log10(error), "mode": "psnr"}


def _sz3(error: float, span: float) -> dict[str, Any]:
    return {"mode": "abs", "abs": error * span}


def _zfp(error: float, span: float) -> dict[str, Any]:
    return {"mode": "a", "level": error * span}


SPERR = Volumetric("SPERR", "sperr", _sperr, coarsest=-1)
SZ3 = Volumetric("SZ3", "sz3", _sz3)
ZFP = Volumetric("zfp", "zfp", _zfp)
VOLUMETRIC = (SPERR, SZ3, ZFP)


@dataclass(frozen=True, eq=False)
class Search:
    """Levels of a peer for a volume; sizes are kept, so that a second budget needs fewer trials.

    Parameters
    ----------
    peer, volume
        What is coded, and by what.
    sizes
        Bytes at the levels that were tried.
    """

    peer: Peer
    volume: NDArray[Any]
    sizes: dict[float, int] = field(default_factory=dict)

    def finest_within(self, budget: float) -> float | None:
        """The finest level, by bisection, whose bytes stay within a budget; None where none does."""
        fitting = self._known(budget, fits=True)
        if fitting is None and self._size(self.peer.coarsest) <= budget:
            fitting = self.peer.coarsest
        if fitting is None:
            return None
        missing = self._known(budget, fits=False)
        fine = self.peer.finest - self.peer.whole if missing is None else missing
        for _ in range(_TRIALS):
            middle = (fine + fitting) / 2
            if self.peer.whole:
                middle = float(middle // 1)
            if middle <= fine or self.sizes.get(fitting, 0) >= _CLOSE * budget:
                break
            if self._size(middle) <= budget:
                fitting = middle
            else:
                fine = middle
        return fitting

    def _known(self, budget: float, fits: bool) -> float | None:
        """The level nearest to a budget, on one side of it, among those that were tried."""
        if fits:
            return min((level for level, size in self.sizes.items() if size <= budget), default=None)
        return max((level for level, size in self.sizes.items() if size > budget), default=None)

    def _size(self, level: float) -> int:
        if level not in self.sizes:
            self.sizes[level] = self.peer.encode(self.volume, level).size
        return self.sizes[level]


def at_ratio(name: str, volume: NDArray[Any], ratio: float, peers: tuple[Peer, ...]) -> Iterator[Row]:
    """Those peers that reach a ratio, each at its finest setting whose bytes stay within it."""
    for peer in peers:
        level = Search(peer, volume).finest_within(volume.nbytes / ratio)
        if level is not None:
            yield _row(name, peer, f"ratio {ratio:g}", volume, partial(peer.encode, volume, level))


def at_error(name: str, volume: NDArray[Any], error: float) -> Iterator[Row]:
    """Every peer at a largest absolute error, in the data's units."""
    floats = as_floats(volume)
    bounds: dict[Volumetric, dict[str, Any]] = {
        SPERR: {"level": error, "mode": "pwe"},
        SZ3: {"mode": "abs", "abs": error},
        ZFP: {"level": error, "mode": "a"},
    }
    for peer, settings in bounds.items():
        yield _row(name, peer, f"max_error {error:.4g}", volume, partial(peer.at, floats, **settings))


def at_psnr(name: str, volume: NDArray[Any], psnr: float) -> Iterator[Row]:
    """SPERR at a PSNR over the volume's range, which it takes as a goal: it may miss, or do much better."""
    floats = as_floats(volume)
    yield _row(name, SPERR, f"psnr {psnr:g}", volume, partial(SPERR.at, floats, level=psnr, mode="psnr"))


def _row(name: str, peer: Peer, setting: str, volume: NDArray[Any], encode: Callable[[], Encoded]) -> Row:
    def run() -> tuple[int, Any, float]:
        start = time.perf_counter()
        encoded = encode()
        seconds = time.perf_counter() - start
        return encoded.size, peer.decode(encoded.data, volume), seconds

    return row(name, peer.name, setting, volume, run)


def lossless(name: str, volume: NDArray[Any]) -> Iterator[Row]:
    """PCodec, JPEG XL (plane by plane, of what 16 bits hold) and zstd with byte shuffle."""
    ic = imagecodecs_module()

    def packed(codec: str, encode: Callable[[], bytes], decode: Callable[[bytes], NDArray[Any]]) -> Row:
        def run() -> tuple[int, Any, float]:
            start = time.perf_counter()
            data = encode()
            middle = time.perf_counter()
            return len(data), decode(data), middle - start

        return row(name, codec, "lossless", volume, run)

    blosc = Blosc("zstd", 9, Blosc.SHUFFLE)
    yield packed("zstd", lambda: bytes(blosc.encode(volume)), lambda data: _shaped(blosc.decode(data), volume))
    if volume.dtype.itemsize > 1:
        yield packed(
            "pcodec",
            lambda: standalone.simple_compress(volume.ravel(), ChunkConfig()),
            lambda data: standalone.simple_decompress(data).reshape(volume.shape),
        )
    small = volume.astype(np.uint16 if volume.dtype.itemsize > 1 else np.uint8)
    if (small == volume).all():
        planes: list[bytes] = []

        def encode() -> bytes:
            planes[:] = [ic.jpegxl_encode(np.ascontiguousarray(plane), lossless=True, effort=7) for plane in small]
            return b"".join(planes)

        yield packed("jpegxl", encode, lambda _: np.stack([ic.jpegxl_decode(plane) for plane in planes]))


def _shaped(data: bytes, like: NDArray[Any]) -> NDArray[Any]:
    return np.frombuffer(data, like.dtype).reshape(like.shape)
