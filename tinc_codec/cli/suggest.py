"""`tinc suggest`: how noisy data are, and which setting keeps what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from tinc_codec.cli.output import Json, print_json, progress, wide_console
from tinc_codec.cli.reporting import interruptible
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.jobs.report.units import duration, size

if TYPE_CHECKING:
    from tinc_codec.bench.suggestion import Outcome, Suggestion

_GB = 1e9


def suggest_command(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A .npy, a TIFF, a Zarr array or group, or an OME-Zarr image."),
    ],
    effort: Annotated[int, typer.Option(help="1 (quick) to 9 (thorough).")] = 1,
    as_json: Json = False,
) -> None:
    """Measure the noise of data on a few samples, and say which setting keeps what, at what size and time."""
    with interruptible("stopped"):
        from tinc_codec.bench.data import open_image
        from tinc_codec.bench.suggestion import suggest

        TINCCodec(effort=effort)  # what cannot be asked for is said before anything is read
        image = open_image(data)
        with progress() as follow:
            suggestion = suggest(image, effort, follow)
        if as_json:
            print_json(suggestion.as_json())
        else:
            _print(wide_console(), suggestion)


def _print(console: Console, suggestion: Suggestion) -> None:
    """Print the table, and what to take."""
    image = suggestion.image
    console.print(
        f"{image.name}: {'x'.join(map(str, image.reader.shape))} {image.reader.dtype}, {size(suggestion.raw_bytes)}; "
        f"noise {suggestion.noise:.4g}, measured on {len(suggestion.samples)} samples, as all that follows",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    table = Table(box=None, padding=(0, 0, 0, 2))
    table.add_column("setting", no_wrap=True)
    for column in ("size", "ratio", "PSNR", "max error", "F1", "Dice", "bias %", "write/GB", "read/GB"):
        table.add_column(column, justify="right", no_wrap=True)
    for option in suggestion.options:
        style = "bold" if option is suggestion.recommended else None
        per_gb = [duration(s * _GB / option.raw_bytes) for s in (option.encode_seconds, option.decode_seconds)]
        sizes = (size(suggestion.raw_bytes / option.ratio), f"{option.ratio:.1f}")
        table.add_row(option.goal.label, *sizes, *_kept(option.outcome), *per_gb, style=style)
    if suggestion.noise:
        table.add_row("another exposure", "", "", *_kept(suggestion.exposure), style="dim")
    console.print(table)
    for use, option, reason in (
        ("for your only copy", suggestion.recommended, suggestion.reason),
        ("for previews", suggestion.preview, f"it keeps {suggestion.preview.kept}"),
    ):
        argument = f"--{option.goal.option.replace('_', '-')} {option.goal.value:g}"
        console.print(f"{use}: {argument}: {reason}", highlight=False, soft_wrap=True, markup=False)


def _kept(outcome: Outcome) -> tuple[str, ...]:
    def share(value: float, form: str) -> str:
        return "-" if math.isnan(value) else format(value, form)

    return (
        f"{outcome.psnr:.2f}",
        f"{outcome.max_error:.4g}",
        share(outcome.blobs.f1, ".3f"),
        share(outcome.segmented.dice, ".3f"),
        share(outcome.brightness_bias, "+.2f"),
    )
