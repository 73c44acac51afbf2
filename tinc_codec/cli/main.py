"""The command line: `tinc compress` and `export`; the other commands are in files of their names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tinc_codec import __version__
from tinc_codec.cli.bench import bench_command
from tinc_codec.cli.demo import demo_command
from tinc_codec.cli.inspect import inspect_command
from tinc_codec.cli.options import MaxErrorOption
from tinc_codec.cli.output import Json, print_json
from tinc_codec.cli.reporting import STOPPED, Commands, interruptible
from tinc_codec.cli.serve import serve_command
from tinc_codec.cli.suggest import suggest_command
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.runtime.usable import usable

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console()

app.command("demo")(demo_command)
app.command("serve")(serve_command)


@contextmanager
def _client(scheduler: str | None) -> Iterator[Any]:
    """A client of the scheduler at an address; None where there is none."""
    if scheduler is None:
        yield None
        return
    from distributed import Client

    try:
        client = Client(scheduler)
    except (OSError, ValueError, TypeError) as error:  # a timeout is an OSError
        raise ConfigurationError(
            f"scheduler {scheduler!r} does not answer ({error or type(error).__name__}): give the address that it "
            "shows when it starts, as in tcp://10.0.0.5:8786"
        ) from error
    with client:
        yield client


@contextmanager
def _following(as_json: bool, unit: str = "chunks") -> Iterator[Any]:
    """How a job shows its progress: plan, bar and report on stdout, or the bar alone on stderr."""
    if not as_json:
        yield True
        return
    from tinc_codec.jobs.report.terminal import following

    with following(True, Console(stderr=True), unit) as progress:
        yield progress


def _print_version(asked: bool) -> None:
    if asked:
        console.print(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Compression of huge microscopy arrays by trees of coefficients and small networks."""


def _shape(text: str | None) -> tuple[int, ...] | None:
    """Edges of chunks or shards, as in 64,64,64."""
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        raise ConfigurationError(f"{text!r} are not edges in voxels, as in 64,64,64") from None


def _devices(text: str) -> str | list[int]:
    """Numbers of GPUs, as in 0,1; else a word."""
    parts = text.split(",")
    return [int(part) for part in parts] if all(part.strip().isdecimal() for part in parts) else text


_Chunks = Annotated[str | None, typer.Option(help="Edges of the new chunks, as in 64,64,64; else the source's.")]
_Shards = Annotated[str | None, typer.Option(help="Edges of the new shards, whole chunks; else the source's.")]
_Format = Annotated[int | None, typer.Option(help="2 or 3; else the source's.")]
_Workers = Annotated[int | None, typer.Option(help="Processes; else one for each GPU or core.")]


@app.command("compress")
def compress_command(
    src: Annotated[str, typer.Argument(help="Zarr array or group (path or URL), OME-Zarr, or TIFF.")],
    dst: Annotated[str | None, typer.Argument(help="New store; left out with --in-place.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace SRC, once all of it is verified.")] = False,
    keep_original: Annotated[bool, typer.Option(help="In place: keep the original as SRC.tinc/old.")] = False,
    ratio: Annotated[float | None, typer.Option(help="Raw bytes over stored bytes, at least; 64 by default.")] = None,
    psnr: Annotated[float | None, typer.Option(help="Instead: dB of every chunk, at least.")] = None,
    max_error: MaxErrorOption = None,
    exact_value: Annotated[
        list[float] | None, typer.Option(help="A value that comes back exactly; may be repeated.")
    ] = None,
    exact: Annotated[
        list[str] | None, typer.Option(help="Arrays that stay exact, as in 'labels/*'; may be repeated.")
    ] = None,
    lossy: Annotated[
        list[str] | None, typer.Option(help="Arrays to compress that look like labels or tables; may be repeated.")
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Compress exact arrays losslessly where that is smaller.")
    ] = False,
    effort: Annotated[int, typer.Option(help="1 (quick) to 9 (thorough).")] = 3,
    chunks: _Chunks = None,
    shards: _Shards = None,
    zarr_format: _Format = None,
    workers: _Workers = None,
    devices: Annotated[str, typer.Option(help="auto, cpu, gpu, or numbers of GPUs, as in 0,1.")] = "auto",
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler whose workers do it.")] = None,
    pyramid: Annotated[str, typer.Option(help="Levels of OME-Zarr images: all, or derived from the finest.")] = "all",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only the plan, judged by three chunks.")] = False,
    resume: Annotated[bool, typer.Option(help="Keep what an earlier run did.")] = True,
    verify: Annotated[bool, typer.Option(help="Read every chunk back and compare.")] = True,
    retries: Annotated[int, typer.Option(help="How often a chunk that fails is tried again.")] = 2,
    on_error: Annotated[
        str, typer.Option(help="A chunk that fails all the same: lossless, skip or raise.")
    ] = "lossless",
    ledger: Annotated[Path | None, typer.Option(help="Directory for the job's files; else DST.tinc.")] = None,
    report: Annotated[Path | None, typer.Option(help="File for the report: .html or .json.")] = None,
    as_json: Json = False,
) -> None:
    """Compress a store chunk by chunk into another, or in place; run it again to go on where it stopped."""
    with (
        interruptible(f"stopped; what is done is kept: tinc compress {src} goes on with the same options"),
        _client(scheduler) as client,
    ):
        import tinc_codec

        if (dst is None) != in_place:
            raise ConfigurationError("give a destination, or --in-place, and not both")
        if report is not None:
            from tinc_codec.jobs.report.summary import check_place

            check_place(report)
        codec = TINCCodec(
            ratio=ratio, psnr=psnr, max_error=max_error, exact_values=tuple(exact_value or ()), effort=effort
        )
        settings: dict[str, Any] = {
            "chunks": _shape(chunks),
            "shards": _shape(shards),
            "zarr_format": zarr_format,
            "client": client,
            "devices": _devices(devices),
            "workers": workers,
            "pyramid": pyramid,
            "exact": tuple(exact or ()),
            "lossy": tuple(lossy or ()),
            "lossless": lossless,
        }
        if dry_run:
            planned = tinc_codec.plan(src, dst, codec, **settings)
            if as_json:
                print_json(planned.as_json())
            else:
                from tinc_codec.jobs.report.terminal import plan

                plan(planned, console)
            return
        settings |= {"resume": resume, "verify": verify, "retries": retries, "on_error": on_error}
        with _following(as_json) as progress:
            result = tinc_codec.compress(
                src, dst, codec, keep_original=keep_original, ledger=ledger, progress=progress, **settings
            )
        if as_json:
            print_json(result.as_json())
        if report is not None:
            with usable(f"report {str(report)!r}"):
                result.save(report)
        if any(failure.instead == "skipped" for failure in result.failures):
            raise typer.Exit(STOPPED)


@app.command("export")
def export_command(
    src: Annotated[str, typer.Argument(help="Zarr array or group; for OME-TIFF one array.")],
    dst: Annotated[str, typer.Argument(help="New store, or a file that ends with .tif or .tiff.")],
    codec: Annotated[str, typer.Option(help="zstd, blosc, gzip or none.")] = "zstd",
    axes: Annotated[str | None, typer.Option(help="Names of the axes for OME-TIFF, as in CZYX.")] = None,
    chunks: _Chunks = None,
    shards: _Shards = None,
    zarr_format: _Format = None,
    workers: _Workers = None,
    as_json: Json = False,
) -> None:
    """Write plain Zarr or an OME-TIFF, for readers that do not know TINC."""
    with interruptible(f"stopped; what is done is kept: tinc export {src} {dst} goes on"):
        import tinc_codec

        if dst.lower().endswith((".tif", ".tiff")):
            with _following(as_json, "planes") as progress:
                written = tinc_codec.export_tiff(src, dst, axes=axes, progress=progress)
            if as_json:
                print_json(written.as_json())
            return
        grid: dict[str, Any] = {"chunks": _shape(chunks), "shards": _shape(shards), "zarr_format": zarr_format}
        with _following(as_json) as progress:
            result = tinc_codec.export(src, dst, codec, workers=workers, progress=progress, **grid)
        if as_json:
            print_json(result.as_json())


app.command("inspect")(inspect_command)
app.command("suggest")(suggest_command)
app.command("bench")(bench_command)
