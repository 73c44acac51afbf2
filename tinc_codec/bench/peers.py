"""Classical peers behind one protocol, at fair settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numcodecs import Blosc
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from tinc_codec.bench.rows import Row, row
from tinc_codec.errors import MissingDependencyError

Volume = NDArray[np.float32]
Encode = Callable[[Volume], bytes]
Decode = Callable[[bytes, Volume], NDArray[Any]]


def imagecodecs_module() -> ModuleType:
    """The library that has the peers."""
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingDependencyError("the peers need imagecodecs: pip install 'tinc-codec[bench]'") from error
    module: ModuleType = imagecodecs  # typed or not, as it is installed or not
    return module


def _row(name: str, codec: str, setting: str, volume: NDArray[Any], encode: Encode, decode: Decode) -> Row:
    given = volume.astype(np.float32)

    def run() -> tuple[int, Any, float]:
        start = time.perf_counter()
        data = encode(given)
        middle = time.perf_counter()
        return len(data), decode(data, given), middle - start

    return row(name, codec, setting, volume, run)


def _decoders() -> dict[str, Decode]:
    ic = imagecodecs_module()
    return {
        "sperr": lambda data, like: ic.sperr_decode(data, shape=like.shape, dtype=like.dtype),
        "sz3": lambda data, like: ic.sz3_decode(data, shape=like.shape, dtype=like.dtype),
        "zfp": lambda data, like: ic.zfp_decode(data),
    }


def at_error(name: str, volume: NDArray[Any], error: float) -> Iterator[Row]:
    """Every peer at a largest absolute error, in the data's units."""
    ic, decoders = imagecodecs_module(), _decoders()
    encoders: dict[str, Encode] = {
        "sperr": lambda x: bytes(ic.sperr_encode(x, level=error, mode="pwe")),
        "sz3": lambda x: bytes(ic.sz3_encode(x, mode="abs", abs=error)),
        "zfp": lambda x: bytes(ic.zfp_encode(x, level=error, mode="a")),
    }
    for codec, encode in encoders.items():
        yield _row(name, codec, f"max_error {error:.4g}", volume, encode, decoders[codec])


def at_psnr(name: str, volume: NDArray[Any], psnr: float) -> Iterator[Row]:
    """SPERR at a PSNR over the volume's range, which it takes as a goal: it may miss, or do much better."""
    ic = imagecodecs_module()

    def encode(x: Volume) -> bytes:
        return bytes(ic.sperr_encode(x, level=psnr, mode="psnr"))

    yield _row(name, "sperr", f"psnr {psnr:g}", volume, encode, _decoders()["sperr"])


@dataclass(frozen=True)
class Peer:
    """A codec whose quality is set by log2 of the error over the range, from `finest` to `coarsest`."""

    encode: Callable[..., bytes]
    settings: Callable[[float], dict[str, Any]]
    finest: float
    coarsest: float

    def at(self, level: float) -> Encode:
        """The encoder at a level."""
        settings = self.settings(level)
        return lambda x: bytes(self.encode(x, **settings))

    def within(self, volume: Volume, budget: float) -> float | None:
        """The finest level whose bytes stay within a budget; None where there is none."""
        return finest_within(volume, self.at, budget, self.finest, self.coarsest)


def by_level(spread: float) -> dict[str, Peer]:
    """The peers of a volume whose values spread so far."""
    ic = imagecodecs_module()
    return {
        "sperr": Peer(ic.sperr_encode, lambda level: {"level": -6.02 * level, "mode": "psnr"}, -20, -1),
        "sz3": Peer(ic.sz3_encode, lambda level: {"mode": "abs", "abs": 2.0**level * spread}, -20, 0),
        "zfp": Peer(ic.zfp_encode, lambda level: {"level": 2.0**level * spread, "mode": "a"}, -20, 0),
    }


def at_ratio(name: str, volume: NDArray[Any], ratio: float) -> Iterator[Row]:
    """Those peers that reach a ratio, each at its finest setting whose bytes stay within it."""
    decoders, given = _decoders(), volume.astype(np.float32)
    for codec, peer in by_level(float(np.ptp(given))).items():
        level = peer.within(given, volume.nbytes / ratio)
        if level is not None:
            yield _row(name, codec, f"ratio {ratio:g}", volume, peer.at(level), decoders[codec])


def finest_within(
    volume: Volume, make: Callable[[float], Encode], budget: float, fine: float, coarse: float
) -> float | None:
    """The finest level, by bisection, whose bytes stay within a budget; None where none does."""
    finest = None
    for _ in range(14):
        middle = (fine + coarse) / 2
        if len(make(middle)(volume)) <= budget:
            coarse = finest = middle
        else:
            fine = middle
    return finest


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
