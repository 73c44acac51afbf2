"""`compress`: an array or a hierarchy of arrays, chunk by chunk, into a store; or in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from distributed import Client

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.patterns import Choice
from tinc_codec.jobs.cluster import WorkerOptions
from tinc_codec.jobs.counts import Progress
from tinc_codec.jobs.destination_array import WriteSettings
from tinc_codec.jobs.grids import Grid, Shape
from tinc_codec.jobs.plan import Plan, make_plan, memory_for
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.request import Request
from tinc_codec.jobs.route import Route
from tinc_codec.jobs.rules import OnError, Rules
from tinc_codec.jobs.run import run


def compress(
    src: Any,
    dst: str | Path | None,
    codec: TINCCodec,
    *,
    chunks: Shape | None = None,
    shards: Shape | None = None,
    zarr_format: Literal[2, 3] | None = None,
    client: Client | None = None,
    devices: str | int | list[int] = "auto",
    workers: int | None = None,
    resume: bool = True,
    retries: int = 2,
    verify: bool = True,
    on_error: OnError = "lossless",
    keep_original: bool = False,
    pyramid: Literal["all", "derived"] = "all",
    exact: str | Sequence[str] = (),
    lossy: str | Sequence[str] = (),
    lossless: bool = False,
    ledger: str | Path | None = None,
    storage_options: Mapping[str, Any] | None = None,
    progress: bool | Progress = True,
) -> Report:
    """Compress arrays into a store, chunk by chunk, on dask's workers; a second call goes on where the first stopped.

    Parameters
    ----------
    src
        A Zarr array or group, a path or URL of one, a TIFF's path, a dask or NumPy array, or an xarray ``DataArray``
        without coordinates. Of a TIFF, all images and levels become arrays of one group, with what the file says of
        them as OME-Zarr says it. Groups are walked: attributes, names of axes and fill values come along. Only images
        become lossy: labels, masks, times, coordinates, tables, and what looks like those, stay exact, and are copied.
        It must not change while the job runs.
    dst
        Path or URL of the new store; None: in place.
    codec
        How to compress.
    chunks, shards
        Of the compressed arrays; None: as in the source.
    zarr_format
        2 or 3; None: as the source, or else 3.
    client
        Dask's; None: workers on this machine, for this job.
    devices
        Without a client: ``"auto"`` (one worker for each GPU, or else for each core), ``"cpu"``, ``"gpu"``, or numbers
        of GPUs.
    workers
        Without a client: number of workers.
    resume
        Whether to keep what an earlier run did; False: begin anew.
    retries
        How often a chunk that fails is tried again.
    verify
        Whether each chunk is read back from the store and compared with the source, in a task of its own.
    on_error
        What to do about a chunk that fails all the same: store it losslessly; skip it, so that it reads as the fill
        value; or stop. A full disk always stops the job, and so do workers that die again and again, and a source that
        changes or goes away.
    keep_original
        In place: keep the original, as ``NAME.tinc/old``.
    pyramid
        Of OME-Zarr images: compress ``"all"`` levels, or the finest, from which, as it is decoded, the coarser levels
        are ``"derived"``.
    exact, lossy
        Patterns for paths of arrays, as in ``"labels/*"``: which stay exact, and which the codec is for, whatever the
        rules say. `plan` says what they say. An array that is named by itself has the path ``"/"``.
    lossless
        Whether arrays that stay exact are compressed losslessly by TINC where that is smaller; else they are copied.
    ledger
        Directory for the job's files; None: ``NAME.tinc`` beside the store. Needed where that is not a local directory.
    storage_options
        What fsspec needs to open `src` and `dst`, where they are URLs, as in ``{"endpoint_url": ..., "key": ...}``; it
        goes to the workers too. None: fsspec's configuration and the environment. Where the two need different ones,
        give `src` as an open Zarr array or group.
    progress
        Show the plan, a bar and the report; or a function that is called with the number of chunks done, and of all.

    Returns
    -------
    Report

    Raises
    ------
    ConfigurationError
        What is asked for cannot be done, with the reason; nothing was written.
    JobError
        The job stopped before its end. What is done is in the ledger: the same call goes on from there. It is a
        `SourceError` where the source changed or went away.
    """
    if not isinstance(codec, TINCCodec):
        raise ConfigurationError(f"codec={codec!r} must be a TINCCodec, as in TINCCodec(ratio=64)")
    route = Route(src, dst, ledger, storage_options)
    grid, choice = Grid(chunks, shards, zarr_format), Choice.parse(exact, lossy, lossless)
    request = Request(route, WriteSettings(codec.config), grid, choice, pyramid)
    rules = Rules(retries, verify, on_error, resume, keep_original)
    return run(request, WorkerOptions(client, devices, workers), rules, progress)


def plan(
    src: Any,
    dst: str | Path | None,
    codec: TINCCodec,
    *,
    chunks: Shape | None = None,
    shards: Shape | None = None,
    zarr_format: Literal[2, 3] | None = None,
    client: Client | None = None,
    devices: str | int | list[int] = "auto",
    workers: int | None = None,
    pyramid: Literal["all", "derived"] = "all",
    exact: str | Sequence[str] = (),
    lossy: str | Sequence[str] = (),
    lossless: bool = False,
    samples: int = 3,
    storage_options: Mapping[str, Any] | None = None,
) -> Plan:
    """What `compress` would do, and how long it would take; nothing is written.

    Parameters
    ----------
    src, dst, codec, chunks, shards, zarr_format, client, devices, workers, pyramid, exact, lossy, lossless,
    storage_options
        See `compress`.
    samples
        Number of chunks to compress here, for the estimates of time and size; 0: none.

    Returns
    -------
    Plan

    Raises
    ------
    ConfigurationError
        It cannot be done, with the reason; so where a chunk needs more memory than a worker has.
    """
    route = Route(src, dst, None, storage_options)
    grid, choice = Grid(chunks, shards, zarr_format), Choice.parse(exact, lossy, lossless)
    destination = Request(route, WriteSettings(codec.config), grid, choice, pyramid).destination()
    who = WorkerOptions(client, devices, workers).workers(memory_for(destination.arrays))
    return make_plan(destination, route.destination(destination.source), who, samples)
