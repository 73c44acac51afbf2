"""`tinc demo`: what a volume costs and keeps, at a setting that suits it or at a given one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tinc_codec.cli.options import MaxErrorOption
from tinc_codec.cli.output import Json, print_json
from tinc_codec.cli.reporting import interruptible
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.runtime.usable import usable

if TYPE_CHECKING:
    from tinc_codec.cli.demonstration import Result


def demo_command(
    path: Annotated[
        Path | None, typer.Option("--input", help="A .npy, .tif or Zarr array; without it, a phantom.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Directory for the Zarr array and the picture.")] = Path("tinc-demo"),
    ratio: Annotated[float | None, typer.Option(help="Raw bytes over stored bytes, at least.")] = None,
    psnr: Annotated[float | None, typer.Option(help="Instead: dB of every chunk, at least.")] = None,
    max_error: MaxErrorOption = None,
    effort: Annotated[
        int | None, typer.Option(help="1 (quick) to 9 (thorough); 3 by default, 1 where no setting is given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the phantom and of the training.")] = 0,
    zarr_format: Annotated[int, typer.Option(help="2 or 3.")] = 3,
    as_json: Json = False,
) -> None:
    """Compress a volume, read it back, and show what it cost and what it kept.

    Without a ratio, PSNR or largest error the setting follows from the volume: nothing is lost but what is below its
    noise.
    """
    with interruptible("stopped"):
        from tinc_codec.cli import demonstration
        from tinc_codec.cli.demo_setting import EFFORT, measured_setting

        if zarr_format not in (2, 3):
            raise ConfigurationError(f"zarr_format={zarr_format!r} must be 2 or 3")
        asked = {"ratio": ratio, "psnr": psnr, "max_error": max_error}
        given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        effort = effort if given or effort is not None else EFFORT
        how: dict[str, Any] = {"seed": seed} if effort is None else {"seed": seed, "effort": effort}
        codec = TINCCodec(**given, **how)  # what cannot be asked for is said before anything is read
        demonstration.check_picture()
        volume = demonstration.load(path, seed)
        console = Console(stderr=as_json)
        _print(console, f"{path or 'light-sheet phantom'}: {volume.shape} {volume.dtype}, {volume.nbytes:,} bytes")
        if not given:
            setting = measured_setting(volume)
            given = dict(setting.arguments)
            codec = TINCCodec(**given, **how)
            _print(console, f"{setting.line}; --ratio, --psnr or --max-error choose another")
        with usable(f"output {str(output)!r}"):
            output.mkdir(parents=True, exist_ok=True)
            store, picture = output / "volume.zarr", output / "slices.png"
            result, decoded = demonstration.run(volume, store, codec, 2 if zarr_format == 2 else 3, console)
            console.print(_table(result))
            demonstration.draw(volume, decoded, result, picture)
        _print(console, f"Zarr array: {store}   picture: {picture}")
        if as_json:
            print_json({**result.as_json(), "setting": given, "output": str(output)})


def _print(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)  # paths may have brackets


def _table(result: Result) -> Table:
    """The figures of a run."""
    table, megabytes = Table(show_header=False), result.raw_bytes / 1e6
    for name, value in (
        ("raw", f"{result.raw_bytes:,} bytes"),
        ("stored", f"{result.stored_bytes:,} bytes, metadata included"),
        ("ratio", f"{result.ratio:.1f}"),
        ("PSNR", f"{result.psnr:.2f} dB over the range of what is finite"),
        ("SSIM", f"{result.ssim:.4f}"),
        ("error", f"{result.rmse:.4g} root mean square, {result.max_error:.4g} at most"),
        ("noise", f"{result.noise:.4g}, measured on the original"),
        ("compressing", f"{result.encode_seconds:.1f} s ({megabytes / result.encode_seconds:.2f} MB/s)"),
        ("reading back", f"{result.decode_seconds:.2f} s ({megabytes / result.decode_seconds:.1f} MB/s)"),
    ):
        table.add_row(name, value)
    return table
