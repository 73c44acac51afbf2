"""Back to what every reader knows: plain Zarr, or OME-TIFF."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from distributed import Client
from numpy.typing import NDArray

from tinc_codec.errors import ConfigurationError, MissingDependencyError
from tinc_codec.jobs.cluster import WorkerOptions
from tinc_codec.jobs.counts import Following, Progress
from tinc_codec.jobs.destination_array import WriteSettings
from tinc_codec.jobs.grids import Grid, Shape
from tinc_codec.jobs.report import terminal
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.report.tiff_report import TiffReport
from tinc_codec.jobs.request import Request
from tinc_codec.jobs.route import Route
from tinc_codec.jobs.rules import Rules
from tinc_codec.jobs.run import run
from tinc_codec.jobs.source_tree import SourceTree, open_source
from tinc_codec.jobs.sources import SampleSource
from tinc_codec.runtime.usable import usable

CODECS = ("zstd", "blosc", "gzip", "none")
"""Names of codecs that Zarr's readers in other languages know."""


def export(
    src: Any,
    dst: str | Path,
    codec: str | Mapping[str, Any] = "zstd",
    *,
    chunks: Shape | None = None,
    shards: Shape | None = None,
    zarr_format: Literal[2, 3] | None = None,
    client: Client | None = None,
    workers: int | None = None,
    resume: bool = True,
    progress: bool | Progress = True,
) -> Report:
    """Write plain Zarr for readers that do not know TINC; samples come out as any reader of `src` gets them.

    Parameters
    ----------
    src, dst, chunks, shards, zarr_format, client, workers, resume, progress
        See `tinc_codec.compress`. The chunks of every array are those given.
    codec
        ``"zstd"``, ``"blosc"``, ``"gzip"``, ``"none"``, or arguments of ``zarr.create_array`` for any codec, as in
        ``{"compressors": numcodecs.Zstd(5)}``.

    Returns
    -------
    Report

    Raises
    ------
    ConfigurationError, JobError
        As `tinc_codec.compress`.
    """
    plain = {2: _plain(codec, 2), 3: _plain(codec, 3)}
    request = Request(Route(src, dst), WriteSettings(None, plain), Grid(chunks, shards, zarr_format))
    return run(request, WorkerOptions(client, "cpu", workers), Rules(on_error="raise", resume=resume), progress)


def _plain(codec: str | Mapping[str, Any], zarr_format: int) -> Mapping[str, Any]:
    if not isinstance(codec, str):
        return codec
    if codec not in CODECS:
        raise ConfigurationError(f"codec={codec!r} is not known; known are {', '.join(CODECS)}")
    if codec == "none":
        return {"compressors": None}
    if zarr_format == 2:
        from numcodecs import Blosc, GZip, Zstd

        return {"compressors": {"zstd": Zstd(5), "blosc": Blosc("zstd", 5), "gzip": GZip(6)}[codec]}
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    codecs = {"zstd": ZstdCodec(level=5), "blosc": BloscCodec(cname="zstd", clevel=5), "gzip": GzipCodec(level=6)}
    return {"compressors": codecs[codec]}


def export_tiff(src: Any, dst: str | Path, *, axes: str | None = None, progress: bool | Progress = True) -> TiffReport:
    """Write an OME-TIFF, plane by plane; no more than a slab of chunks is in memory.

    Parameters
    ----------
    src
        A source that is one array, see `tinc_codec.compress`; of an OME-Zarr image name the level.
    dst
        The file; an existing one is not overwritten.
    axes
        Names of the axes, as in ``"CZYX"``; None: those that the array has, else the last of ``"TCZYX"``.
    progress
        Show a bar, and what was written; or a function that is called with the number of planes done, and of all.

    Returns
    -------
    TiffReport

    Raises
    ------
    ConfigurationError
        The source holds several arrays, `dst` exists or cannot be written, or the axes do not fit.
    MissingDependencyError
        tifffile is not installed.
    """
    try:
        import tifffile  # noqa: F401  # said before anything is read
    except ImportError as error:
        raise MissingDependencyError("OME-TIFF needs tifffile: pip install 'tinc-codec[plot]'") from error
    start, source = time.perf_counter(), open_source(src)
    reader, name = _only(source), _axes(source, axes)
    if Path(dst).exists():
        raise ConfigurationError(f"destination {dst} exists: give another, or remove it")
    partial = Path(f"{dst}.partial")
    with usable(f"destination {str(dst)!r}"):
        try:
            with terminal.following(progress, unit="planes") as following:
                _write_tiff(partial, source, reader, name, following)
            partial.rename(dst)
        finally:
            partial.unlink(missing_ok=True)
    sizes = (math.prod(reader.shape) * reader.dtype.itemsize, Path(dst).stat().st_size)
    seconds = time.perf_counter() - start
    report = TiffReport(source.name, str(dst), reader.shape, str(reader.dtype), name, *sizes, seconds)
    if progress is True:
        terminal.tiff(report)
    return report


def _write_tiff(path: Path, source: SourceTree, reader: SampleSource, axes: str, following: Following) -> None:
    import tifffile

    def followed(planes: Iterator[NDArray[Any]], total: int) -> Iterator[NDArray[Any]]:
        for done, plane in enumerate(planes, 1):
            following(done, total, done * plane.nbytes, path.stat().st_size)
            yield plane  # counted before: a writer that has all of them does not come back

    with tifffile.TiffWriter(path, ome=True, bigtiff=True) as tiff:
        tiff.write(
            followed(_planes(source, reader), math.prod(reader.shape[:-2])),
            shape=reader.shape,
            dtype=reader.dtype,
            compression="zlib",
            predictor=reader.dtype.kind in "iu",
            photometric="minisblack",
            metadata={"axes": axes},
        )


def _only(source: SourceTree) -> SampleSource:
    if len(source.members) != 1:
        names = ", ".join(member.path for member in source.members)
        raise ConfigurationError(f"{source.name} holds several arrays: name one of {names or 'none, it is empty'}")
    return source.members[0].reader


def _axes(source: SourceTree, axes: str | None) -> str:
    (member,) = source.members
    rank = len(member.reader.shape)
    if axes is None and member.array is not None:
        metadata, attributes = member.array.metadata, member.array.attrs
        names: Any = getattr(metadata, "dimension_names", None) or attributes.get("_ARRAY_DIMENSIONS")
        if names and all(name and str(name).upper() in "TCZYX" for name in names):
            axes = "".join(str(name).upper() for name in names)
    axes = "TCZYX"[-rank:] if axes is None else axes
    if len(axes) != rank or rank < 2 or not axes.endswith("YX"):
        raise ConfigurationError(
            f"axes={axes!r} do not fit shape {member.reader.shape}: OME-TIFF ends with YX, as in CZYX"
        )
    return axes


def _planes(source: SourceTree, reader: SampleSource) -> Iterator[NDArray[Any]]:
    array = source.members[0].array
    depth = array.chunks[-3] if array is not None and array.ndim > 2 else 1
    outer, (height, width) = reader.shape[:-2], reader.shape[-2:]
    whole = (slice(0, height), slice(0, width))
    for index in np.ndindex(outer[:-1]):
        before = tuple(slice(i, i + 1) for i in index)
        for start in range(0, outer[-1] if outer else 1, depth):
            slab = (slice(start, min(start + depth, outer[-1])),) if outer else ()
            yield from reader.read((*before, *slab, *whole)).reshape(-1, height, width)
