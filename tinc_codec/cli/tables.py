"""What `inspect` tells, as tables on a terminal or as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from tinc_codec.decoding.inspect import StreamInfo


def as_json(info: StreamInfo) -> dict[str, object]:
    """As a JSON object."""
    quality = info.quality and {**asdict(info.quality), "psnr": info.quality.psnr if info.quality.rmse else None}
    return {**asdict(info), "ratio": info.ratio, "quality": quality}


def print_store(console: Console, infos: list[tuple[str, StreamInfo]]) -> None:
    """Print what the streams of a store hold."""
    raw, stored = sum(info.raw_bytes for _, info in infos), sum(info.stored_bytes for _, info in infos)
    table = Table(title=f"{len(infos)} chunks: {raw:,} bytes in {stored:,} ({raw / stored:.1f}x)")
    for column in ("chunk", "shape", "kind", "bytes", "ratio", "PSNR dB", "max error"):
        table.add_column(column, justify="left" if column in ("chunk", "shape", "kind") else "right")
    for key, info in infos:
        quality = info.quality
        shown = ("", "") if quality is None else (f"{quality.psnr:.2f}", f"{quality.max_error:g}")
        table.add_row(key, str(info.shape), info.kind, f"{info.stored_bytes:,}", f"{info.ratio:.1f}", *shown)
    console.print(table)


def print_stream(console: Console, key: str, info: StreamInfo) -> None:
    """Print what a stream holds."""
    console.print(
        f"[bold]{key}[/]: format version {info.version}, {info.kind}, {info.shape} {info.dtype}, order {info.order}; "
        f"{info.raw_bytes:,} bytes in {info.stored_bytes:,} ({info.ratio:.1f}x)",
        highlight=False,
    )
    if info.levels:
        table = Table(title=f"tree: {info.parameters:,} parameters at {info.bits_per_parameter:.2f} bits")
        for column in ("level", "grid", "nodes", "constant", "sine layers", "nodes x width", "parameters"):
            table.add_column(column, justify="right")
        for number, level in enumerate(info.levels):
            widths = " ".join(f"{count}x{width}" for width, count in level.widths.items())
            grid = "x".join(map(str, level.grid))
            row = (number, grid, level.nodes, level.constant, level.layers, widths, f"{level.parameters:,}")
            table.add_row(*map(str, row))
        console.print(table)
        console.print(f"leaves of at most {'x'.join(map(str, info.leaf_shape))} voxels")
    if info.detail is not None:
        _print_detail(console, info.detail)
    table = Table(title="bytes by section")
    for name, size in info.sections.items():
        table.add_row(name, f"{size:,}", f"{size / info.stored_bytes:.1%}")
    console.print(table)
    if info.quality is not None:
        q = info.quality
        console.print(
            f"quality at encoding: PSNR {q.psnr:.2f} dB over {q.low:g} to {q.high:g}, RMSE {q.rmse:.6g}, "
            f"largest error {q.max_error:g}",
            highlight=False,
        )


def _print_detail(console: Console, detail: dict[str, Any]) -> None:
    """Print the plan of coefficients, and what they take."""
    groups = ", ".join(f"axes {group['axes']} {group['depth']} times" for group in detail["groups"])
    table = Table(title=f"detail: {detail['bands']} bands in {detail['pieces']} pieces, step {detail['step']:g}")
    for column in ("levels", "bytes"):
        table.add_column(column, justify="right")
    for levels, size in detail["bytes"].items():
        table.add_row(levels, f"{size:,}")
    console.print(table)
    console.print(f"split into halves: {groups}", highlight=False)
