"""What `inspect` tells, as tables on a terminal or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tinc_codec.decoding.decode import Quality
from tinc_codec.decoding.inspect import StreamInfo

ROWS = 32
"""Chunks of a store that are printed one by one."""

HOLDS = {
    "quality": "errors, as they were measured at encoding",
    "tree": "partition and widths of the networks",
    "layers": "steps and scales of their layers",
    "weights": "their weights and biases",
    "weight_lanes": "their weights and biases, in four lanes",
    "constants": "values of blocks without a network",
    "detail": "coefficients",
    "residual": "what networks and coefficients leave over, within the bound",
    "exact": "places and values of samples that are kept exactly",
    "exact_in_context": "places and values of samples that are kept exactly",
    "corrections": "samples that would have come out as one of these values",
    "crop": "the value of the planes at the end, which are not stored",
    "lossless": "all samples, by general means",
    "container": "header, lengths of sections, checksum",
}
"""What sections hold, by the names that `tinc_codec.inspect` gives them."""


def as_json(info: StreamInfo) -> dict[str, object]:
    """As a JSON object."""
    quality = info.quality and {**asdict(info.quality), "psnr": info.quality.psnr if info.quality.rmse else None}
    return {**asdict(info), "ratio": info.ratio, "quality": quality}


def print_store(console: Console, infos: list[tuple[str, StreamInfo]]) -> None:
    """Print what the streams of a store hold, the first of them one by one."""
    raw, stored = sum(info.raw_bytes for _, info in infos), sum(info.stored_bytes for _, info in infos)
    _say(console, f"{len(infos):,} chunks: {raw:,} bytes in {stored:,} ({raw / stored:.1f}x); {_range(infos)}")
    table = Table()
    for column in ("chunk", "shape", "kind", "bytes", "ratio", "PSNR dB", "largest error"):
        table.add_column(column, justify="left" if column in ("chunk", "shape", "kind") else "right")
    for key, info in infos[:ROWS]:
        kept = ("lossless", "0")
        if info.quality is not None and info.quality.rmse:
            kept = (f"{info.quality.psnr:.2f}", f"{info.quality.max_error:.4g}")
        sizes = (f"{info.stored_bytes:,}", f"{info.ratio:.1f}")
        table.add_row(escape(key), _times(info.shape), info.kind, *sizes, *kept)
    console.print(table)
    if len(infos) > ROWS:
        _say(console, f"and {len(infos) - ROWS:,} chunks more: --json has all of them, --image draws a plane of them")


def _range(infos: list[tuple[str, StreamInfo]]) -> str:
    """What chunks keep, from the worst to the best of those that lost anything."""
    lossy = [(info.quality, key) for key, info in infos if info.quality is not None and info.quality.rmse]
    if not lossy:
        return "nothing was lost"
    psnrs = [quality.psnr for quality, _ in lossy]
    worst, key = max(lossy, key=lambda pair: pair[0].max_error)
    return f"PSNR {min(psnrs):.2f} to {max(psnrs):.2f} dB, largest error {worst.max_error:.4g} (in {key})"


def print_stream(console: Console, key: str, info: StreamInfo) -> None:
    """Print what a stream holds."""
    _say(
        console,
        f"{key}: {_times(info.shape)} {info.dtype}, {info.order} order; {info.raw_bytes:,} bytes in "
        f"{info.stored_bytes:,} ({info.ratio:.1f}x); {info.kind}, format version {info.version}",
    )
    _say(console, _kept(info.quality))
    if info.levels:
        _print_tree(console, info)
    if info.detail is not None:
        _print_detail(console, info.detail)
    table = Table()
    for column in ("section", "bytes", "of all", "what it holds"):
        table.add_column(column, justify="right" if column in ("bytes", "of all") else "left")
    for name, size in info.sections.items():
        table.add_row(name, f"{size:,}", f"{size / info.stored_bytes:.1%}", HOLDS.get(name, "unknown to this version"))
    console.print(table)


def _kept(quality: Quality | None) -> str:
    """What was measured when a stream was written."""
    if quality is None:
        return "nothing was lost"
    span = f"samples from {quality.low:g} to {quality.high:g}"
    if not quality.rmse:
        return f"nothing was lost; {span}"
    return (
        f"measured when it was written: PSNR {quality.psnr:.2f} dB, error {quality.rmse:.4g} root mean square and "
        f"{quality.max_error:.4g} at most; {span}"
    )


def _print_tree(console: Console, info: StreamInfo) -> None:
    """Print the tree of networks, level by level."""
    _say(
        console,
        f"tree: {info.parameters:,} weights and biases at {info.bits_per_parameter:.2f} bits; leaves of at most "
        f"{_times(info.leaf_shape)} voxels",
    )
    table = Table()
    for column in ("level", "grid", "nodes", "constant", "sine layers", "nodes x width", "parameters"):
        table.add_column(column, justify="right")
    for number, level in enumerate(info.levels):
        widths = " ".join(f"{count}x{width}" for width, count in level.widths.items())
        row = (number, _times(level.grid), level.nodes, level.constant, level.layers, widths, f"{level.parameters:,}")
        table.add_row(*map(str, row))
    console.print(table)


def _print_detail(console: Console, detail: dict[str, Any]) -> None:
    """Print the plan of the coefficients, and what they take by how often axes are halved; axes count from the last."""
    count = sum(len(group["axes"]) for group in detail["groups"])
    halved = {
        place: f"{'axis' if len(group['axes']) == 1 else 'axes'} {', '.join(str(n - count) for n in group['axes'])}"
        for place, group in enumerate(detail["groups"])
        if group["depth"]
    }
    depths = [f"{axes} halved {detail['groups'][place]['depth']} times" for place, axes in halved.items()]
    pieces = f"{detail['pieces']:,} piece{'' if detail['pieces'] == 1 else 's'}"
    text = f"coefficients: {detail['bands']} bands in {pieces}, step {detail['step']:.4g} in the data's units"
    _say(console, "; ".join([text, *depths]))
    rows = {name: size for name, size in detail["bytes"].items() if size}
    if len(rows) < 2:
        return
    table = Table()
    for column in (*(f"halvings of {axes}" for axes in halved.values()), "bytes"):
        table.add_column(column, justify="right")
    for name, size in rows.items():
        times = ["more"] * len(detail["groups"]) if name == "coarse" else name.split("x")
        table.add_row(*(times[place] for place in halved), f"{size:,}")
    console.print(table)


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one sample"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)  # keys may have brackets
