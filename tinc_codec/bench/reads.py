"""Reading: whole chunks, parts and coarser levels through Zarr, beside classical codecs, in one run."""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs import Blosc
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.bench.crops import BENCHMARK, crop, data_directory
from tinc_codec.bench.peers import SPERR, ZFP, Peer, Search, Volumetric, imagecodecs_module
from tinc_codec.bench.planes import JPEG2000, to_unit
from tinc_codec.decoding.cache import chunks
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.decode import decode
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.multiscale import open_multiscale
from tinc_codec.hosts.zarr3 import stored_chunks, zarr_kwargs
from tinc_codec.runtime.settings import set_process

RATIO = 64.0
REPEATS = 9
SETTLING = 0.1
"""Seconds after runs of the NumPy decoder: a BLAS keeps its threads busy for a while after its last product."""
LEVEL = 2
PYRAMIDS = (("wholebrain", (128, 96, 128)), ("embryo", (256, 256, 256)), ("embryo", (128, 128, 128)))
"""Whole volumes and their chunks, for the study of levels."""
PARTS: dict[str, tuple[Any, ...]] = {
    "plane": np.s_[8, :, :],
    "box 16^3": np.s_[4:20, 40:56, 24:40],
    "voxel": np.s_[5, 6, 7],
}
"""Parts of one chunk: one z-plane, a box across borders of leaves, one voxel."""


@dataclass(frozen=True)
class Read:
    """What one read took.

    Parameters
    ----------
    crop, codec, what
        Volume, codec with its setting, and what was read.
    samples, raw_bytes
        Size of the answer.
    seconds
        Median of the repeats.
    of_whole
        `seconds` over those of the same codec's whole chunk.
    note
        Figures beside it: bounds, PSNR.
    """

    crop: str
    codec: str
    what: str
    samples: int
    raw_bytes: int
    seconds: float
    of_whole: float
    note: str = ""

    @property
    def rate(self) -> float:
        """Bytes of the answer a second."""
        return self.raw_bytes / self.seconds

    @property
    def line(self) -> str:
        """For the terminal."""
        return (
            f"{self.crop:11} {self.codec:22} {self.what:9} {1000 * self.seconds:9.2f} ms {self.rate / 1e6:8.1f} MB/s "
            f"{self.of_whole:7.4f} of the whole  {self.note}"
        )

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "rate": self.rate}


def reads(effort: int, names: Sequence[str] = BENCHMARK) -> Iterator[Read]:
    """Every crop in one chunk: its whole, parts of it, coarser levels; every codec in turn, several times.

    Then pyramids of whole volumes, through dask.
    """
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            yield from _crop(name, Path(folder), effort)
    for name, shape in PYRAMIDS:
        volume = np.load(data_directory() / f"{name}.npy")
        arguments = zarr_kwargs(TINCCodec(ratio=RATIO, effort=effort))
        with tempfile.TemporaryDirectory() as folder:
            zarr.create_array(Path(folder) / "tinc", data=volume, chunks=shape, **arguments)
            yield from pyramid(f"{name} in chunks of {'x'.join(map(str, shape))}", volume, Path(folder) / "tinc")


def pyramid(name: str, volume: NDArray[Any], place: Path) -> Iterator[Read]:
    """The levels of an array by `open_multiscale`, each read whole."""
    runs = {}
    for level, lazy in enumerate(open_multiscale(place, levels=LEVEL + 1)):
        run = _reading("numba", lazy, ...)
        runs["tinc (dask)", f"1/{2**level}"] = Run(run, chunks.clear)
        runs["tinc (dask, parsed)", f"1/{2**level}"] = Run(run, run)
    times = medians(runs)
    whole, base = times["tinc (dask)", "1/1"]
    for (codec, what), (answer, seconds) in times.items():
        note = "" if what == "1/1" else _quality(volume, whole, answer, int(what[2:]))
        yield Read(name, codec, what, answer.size, answer.nbytes, seconds, seconds / base, note)


def _crop(name: str, folder: Path, effort: int) -> Iterator[Read]:
    volume = crop(name)
    stored = TINCCodec(ratio=RATIO, effort=effort)
    zarr.create_array(folder / "tinc", data=volume, chunks=volume.shape, **zarr_kwargs(stored))
    tinc = zarr.open_array(folder / "tinc", mode="r")
    stream = next(data for _, data in stored_chunks(folder / "tinc"))
    runs: dict[tuple[str, str], Run] = {}
    for decoder in ("numba", "numpy"):
        for what, part in _parts(volume.shape).items():
            run = _reading(decoder, tinc, part)
            runs[f"tinc ({decoder})", what] = Run(run, chunks.clear)
            if what != "whole":
                runs[f"tinc ({decoder}, parsed)", what] = Run(run, run)
    for codec, array in peers(volume, folder).items():
        for what, part in _parts(volume.shape).items():
            runs[codec, what] = Run(_reading("numba", array, part))
    runs["tinc (numba)", "parsing"] = Run(lambda: _parse(stream))
    for level in range(LEVEL + 1):
        run = _decoding(stream, level)
        runs["tinc (decode)", f"1/{2**level}"] = Run(run, chunks.clear)
        runs["tinc (decode, parsed)", f"1/{2**level}"] = Run(run, run)
    times = medians(runs)
    wholes = {
        codec: seconds
        for (codec, what), (_, seconds) in times.items()
        if what in ("whole", "1/1") and "parsed" not in codec
    }
    for (codec, what), (answer, seconds) in times.items():
        base = wholes.get(codec.replace(", parsed", ""), math.nan)
        size = np.asarray(answer).size
        note = bound(stream, volume) if (codec, what) == ("tinc (numba)", "whole") else ""
        if what.startswith("1/") and what != "1/1":
            note = _quality(volume, np.asarray(times["tinc (numba)", "whole"][0]), np.asarray(answer), int(what[2:]))
        yield Read(name, codec, what, size, size * volume.dtype.itemsize, seconds, seconds / base, note)


def _parts(shape: tuple[int, ...]) -> dict[str, Any]:
    return {"whole": (slice(None),) * len(shape), **PARTS}


@dataclass(frozen=True)
class Run:
    """A read to be timed, and what is done before it without being timed."""

    read: Callable[[], Any]
    prepare: Callable[[], Any] | None = None


def _reading(decoder: str, array: Any, part: Any) -> Callable[[], Any]:
    def run() -> Any:
        set_process(decoder=decoder)
        answer = array[part]
        return answer.compute() if hasattr(answer, "compute") else answer

    return run


def _decoding(stream: bytes, level: int) -> Callable[[], Any]:
    def run() -> Any:
        set_process(decoder="numba")
        return decode(stream, level=level)

    return run


def _parse(stream: bytes) -> int:
    return Chunk.of(stream).parse().predictor is not None


def medians(runs: dict[tuple[str, str], Run], repeats: int = REPEATS) -> dict[Any, tuple[Any, float]]:
    """Answers and median seconds of runs that are taken in turn: three at a time, of which the first is not counted."""
    answers = {key: run.read() for key, run in runs.items()}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(repeats):
        for key, run in runs.items():
            for counted in (False, True, True):
                if run.prepare is not None:
                    run.prepare()
                start = time.perf_counter()
                run.read()
                if counted:
                    seconds[key].append(time.perf_counter() - start)
            if "numpy" in key[0]:
                time.sleep(SETTLING)
    return {key: (answers[key], statistics.median(seconds[key])) for key in runs}


def peers(volume: NDArray[Any], folder: Path) -> dict[str, zarr.Array[Any]]:
    """The same volume in Zarr arrays of classical codecs: one chunk, but planes for JPEG 2000, which has no volumes.

    SPERR, zfp and JPEG 2000 at the finest setting within the ratio, or the coarsest that they have; Blosc without loss.
    """
    imagecodecs_module()
    from imagecodecs import numcodecs as codecs

    codecs.register_codecs(verbose=False)
    floats = volume.astype(np.float32)
    planes = np.rint(to_unit(volume) * 65535).astype(np.uint16)
    plane = (1, *volume.shape[1:])

    def within(peer: Peer) -> float:
        level = Search(peer, volume).finest_within(volume.nbytes / RATIO)
        return peer.coarsest if level is None else level  # the ratio that it has then is in its name

    def volumetric(peer: Volumetric) -> dict[str, Any]:
        settings = peer.settings(2.0 ** within(peer), float(np.ptp(floats)))
        return {"shape": volume.shape, "dtype": np.dtype(np.float32), **settings}

    jpeg2000 = codecs.Jpeg2k(squeeze=(True, False, False), **JPEG2000.settings(within(JPEG2000), volume.shape[1:]))
    codings: dict[str, tuple[NDArray[Any], tuple[int, ...], Any]] = {
        "SPERR": (floats, volume.shape, codecs.Sperr(**volumetric(SPERR))),
        "zfp": (floats, volume.shape, codecs.Zfp(**volumetric(ZFP))),
        "JPEG 2000": (planes, plane, jpeg2000),
        "Blosc zstd": (volume, volume.shape, Blosc("zstd", 5, Blosc.SHUFFLE)),
    }
    arrays = {}
    for name, (data, shape, codec) in codings.items():
        place = folder / name
        zarr.create_array(place, data=data, chunks=shape, zarr_format=2, compressors=codec, filters=None)
        array = zarr.open_array(place, mode="r")
        arrays[f"{name} {volume.nbytes / array.nbytes_stored():.3g}x"] = array
    return arrays


def bound(stream: bytes, volume: NDArray[Any]) -> str:
    """What arithmetic alone would take: multiply-adds of the networks over the rate of a large float32 product.

    Empty for a stream that is not a sine tree alone: coefficients are bound by memory.
    """
    predictor = Chunk.of(stream).predictor
    if not isinstance(predictor, SineTree):
        return ""
    layout = predictor.layout
    cells = math.prod(layout.model.tree.partition.leaf_shape)
    each = float((layout.layers[:, 2] * layout.layers[:, 3]).sum()) * cells / volume.size
    rate = product_rate()
    return (
        f"{each:.0f} multiply-adds a voxel; {rate / 1e9:.0f} G/s in a float32 product on {os.cpu_count()} cores: "
        f"{rate / each * volume.dtype.itemsize / 1e6:.0f} MB/s, and twice that in pairs of 16 bits"
    )


def product_rate(size: int = 1024, repeats: int = 5) -> float:
    """Multiply-adds a second of NumPy's float32 matrix product on all cores."""
    a = np.ones((size, size), np.float32)
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ a
        taken.append(time.perf_counter() - start)
    return float(size**3 / statistics.median(taken))


def _quality(volume: NDArray[Any], decoded: NDArray[Any], level: NDArray[Any], factor: int) -> str:
    """PSNR of a level against means of the original, beside that of means of the decoded level 0."""
    reference = _means(volume, factor)
    data_range = float(volume.max()) - float(volume.min())
    ours, theirs = (metrics.psnr(reference, x.astype(np.float64), data_range) for x in (level, _means(decoded, factor)))
    return f"{ours:.2f} dB to means of the original; means of the decoded level 0: {theirs:.2f} dB"


def _means(volume: NDArray[Any], factor: int) -> NDArray[np.float64]:
    parts = [k for n in volume.shape for k in (n // factor, factor)]
    means: NDArray[np.float64] = volume.reshape(parts).mean(axis=tuple(range(1, 2 * volume.ndim, 2)), dtype=np.float64)
    return means
