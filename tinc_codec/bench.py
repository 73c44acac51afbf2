"""Benchmarks, run by hand: our codec and its classical peers on real volumes at equal bytes; results as JSON.

The volumes are looked for in the environment variable ``TINC_DATA`` and, failing that, in ``../shared/data``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.codec import TINCCodec
from tinc_codec.errors import ConfigurationError, MissingDependencyError

CROPS: dict[str, tuple[str, tuple[slice, ...]]] = {
    "brain64": ("brain64", np.s_[:, :, :]),
    "cells": ("cells", np.s_[:24, 128:384, 128:384]),
    "wholebrain": ("wholebrain", np.s_[64:192, 32:160, 64:192]),
    "wholebrain64": ("wholebrain", np.s_[100:164, 32:96, 56:120]),
    "fibsem": ("fibsem", np.s_[:, :128, :128]),
    "fibsem64": ("fibsem", np.s_[:64, :128, :128]),
    "embryo": ("embryo", np.s_[64:192, 64:192, 64:192]),
    "mni": ("mni", np.s_[27:155, 45:173, 27:155]),
}
"""Benchmark crops by name: file and slices."""

FIGURES = (("brain64", 64.0), ("wholebrain64", 32.0), ("cells", 128.0), ("fibsem64", 64.0))
"""Crops and ratios of the published figures."""

ALLOCATIONS = (
    ("auto", "auto"),
    *((name, "auto") for name in ("shallow", "even", "deep")),
    *(("auto", name) for name in ("equal", "variance", "importance")),
)
"""Choices of inter- and intra-level allocation to compare."""


@dataclass(frozen=True)
class Row:
    """One codec on one crop: sizes in bytes, times in seconds, PSNR in dB over the crop's own range."""

    crop: str
    codec: str
    setting: str
    raw_bytes: int
    stored_bytes: int
    ratio: float
    psnr: float
    ssim: float
    max_error: float
    encode_seconds: float
    decode_seconds: float


def data_directory() -> Path:
    """Where the real volumes are.

    Raises
    ------
    ConfigurationError
        They are nowhere.
    """
    for place in (os.environ.get("TINC_DATA"), Path.cwd().parent / "shared" / "data"):
        if place is not None and Path(place).is_dir():
            return Path(place)
    raise ConfigurationError("the volumes are neither in TINC_DATA nor in ../shared/data")


def crop(name: str) -> NDArray[Any]:
    """A benchmark crop by name."""
    if name not in CROPS:
        raise ConfigurationError(f"crop {name!r} is not known; known are {', '.join(CROPS)}")
    file, box = CROPS[name]
    return np.ascontiguousarray(np.load(data_directory() / f"{file}.npy", mmap_mode="r")[box])


def row(name: str, codec: str, setting: str, volume: NDArray[Any], run: Callable[[], tuple[int, Any, float]]) -> Row:
    """Measure one run, which returns the size, the decoded volume and the seconds that encoding took."""
    start = time.perf_counter()
    size, decoded, encoding = run()
    rest = time.perf_counter() - start - encoding
    data_range = float(volume.max()) - float(volume.min())
    psnr, ssim = metrics.psnr(volume, decoded, data_range), metrics.ssim(volume, decoded, data_range)
    error = metrics.max_error(volume, decoded)
    return Row(name, codec, setting, volume.nbytes, size, volume.nbytes / size, psnr, ssim, error, encoding, rest)


def measure(name: str, codec: TINCCodec) -> Row:
    """Measure our codec on a crop in one chunk."""
    volume = crop(name)

    def run() -> tuple[int, Any, float]:
        start = time.perf_counter()
        data = codec.encode(volume)
        middle = time.perf_counter()
        return len(data), codec.decode(data), middle - start

    return row(name, "tinc", repr(codec), volume, run)


Coder = Callable[[NDArray[np.float32], float], tuple[int, NDArray[Any]]]


def peers() -> dict[str, tuple[Coder, float, float]]:
    """Classical peers: a coder (volume, log2 of its error setting) and the range of that setting over the data range.

    Raises
    ------
    MissingDependencyError
        imagecodecs is not installed.
    """
    try:
        import imagecodecs as ic
    except ImportError as error:
        raise MissingDependencyError("the peers need imagecodecs: pip install 'tinc-codec[bench]'") from error

    def sperr(x: NDArray[np.float32], level: float) -> tuple[int, NDArray[Any]]:
        data = ic.sperr_encode(x, level=-6.02 * level, mode="psnr")
        return len(data), ic.sperr_decode(data, shape=x.shape, dtype=x.dtype)

    def sz3(x: NDArray[np.float32], level: float) -> tuple[int, NDArray[Any]]:
        data = ic.sz3_encode(x, mode="abs", abs=2.0**level * float(np.ptp(x)))
        return len(data), ic.sz3_decode(data, shape=x.shape, dtype=x.dtype)

    def zfp(x: NDArray[np.float32], level: float) -> tuple[int, NDArray[Any]]:
        data = ic.zfp_encode(x, level=2.0**level * float(np.ptp(x)), mode="a")
        return len(data), ic.zfp_decode(data)

    return {"sperr": (sperr, -20, -1), "sz3": (sz3, -20, 0), "zfp": (zfp, -20, 0)}


def measure_peer(name: str, peer: str, ratio: float) -> Row | None:
    """Measure a peer on a crop at the finest setting whose bytes stay within raw / ratio; None where none does."""
    volume = crop(name)
    coder, low, high = peers()[peer]
    given = volume.astype(np.float32)

    fine, coarse, found = low, high, False
    for _ in range(14):
        middle = (fine + coarse) / 2
        if coder(given, middle)[0] <= volume.nbytes / ratio:
            coarse, found = middle, True
        else:
            fine = middle

    def run() -> tuple[int, Any, float]:
        start = time.perf_counter()
        size, decoded = coder(given, coarse)
        return size, decoded, time.perf_counter() - start

    return row(name, peer, f"ratio {ratio:g}, encoding and decoding timed together", volume, run) if found else None


def figures(effort: int) -> Iterator[Row]:
    """The published figures, with those peers that reach the same ratio."""
    for name, ratio in FIGURES:
        yield measure(name, TINCCodec(ratio=ratio, effort=effort))
        for peer in peers():
            measured = measure_peer(name, peer, ratio)
            if measured is not None:
                yield measured


def allocations(effort: int) -> Iterator[Row]:
    """Every choice of inter- and intra-level allocation at equal bytes."""
    for name in ("brain64", "cells", "embryo"):
        for inter, intra in ALLOCATIONS:
            codec = TINCCodec(ratio=64, effort=effort, inter_level=inter, intra_level=intra)
            yield measure(name, codec)


def as_json(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows as JSON objects."""
    return [{key: None if value == math.inf else value for key, value in asdict(row).items()} for row in rows]
