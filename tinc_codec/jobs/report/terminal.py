"""Plans and reports on a terminal, and a bar while a job runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tinc_codec.jobs.plan import Plan
from tinc_codec.jobs.report.figures import Figures
from tinc_codec.jobs.report.tiff_report import TiffReport
from tinc_codec.jobs.report.units import duration, size


def plan(planned: Plan, console: Console | None = None) -> None:
    """Print a plan."""
    console = console or Console(markup=False)  # paths may have brackets
    table = Table(title=f"{planned.source} -> {planned.destination}, {planned.target}")
    for column in ("array", "shape", "chunks", "shards", "tasks", "raw", "what"):
        table.add_column(column, justify="right" if column in ("tasks", "raw") else "left", overflow="fold")
    for array in planned.arrays:
        shapes = ["x".join(map(str, part)) if part else "" for part in (array.shape, array.chunks, array.shards)]
        row = (
            array.path or "/",
            f"{shapes[0]} {array.dtype}",
            *shapes[1:],
            f"{array.tasks:,}",
            size(array.raw_bytes),
            array.done,
        )
        table.add_row(*row)
    console.print(table)
    threads = f" of {planned.threads} cores" if planned.threads > 1 else ""
    console.print(
        f"{planned.tasks:,} tasks on {planned.workers} workers{threads}; a worker needs {size(planned.memory)} of "
        f"memory and may have {size(planned.worker_memory)}",
        highlight=False,
    )
    if planned.expected_bytes is not None:
        console.print(f"{size(planned.raw_bytes)} in about {size(planned.expected_bytes)}", highlight=False)
    if planned.seconds is not None:
        console.print(f"about {duration(planned.seconds)}, judged by {planned.sampled} chunks", highlight=False)
    for hint in planned.hints:
        console.print(f"hint: {hint}", highlight=False)


def report(figures: Figures, console: Console | None = None) -> None:
    """Print a report."""
    console = console or Console(markup=False)  # paths may have brackets
    console.print(_arrays(figures))
    kinds = sum((Counter(array.kinds) for array in figures.arrays), Counter())
    memory = size(max((array.worker_memory for array in figures.arrays), default=0))
    stored = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    console.print(f"{f'stored as {stored}; ' if stored else ''}a worker held at most {memory}", highlight=False)
    console.print(
        f"{figures.done:,} chunks written and {figures.reused:,} found done in {duration(figures.seconds)}"
        + (f" ({size(figures.throughput)}/s of raw data)" if figures.done else ""),
        highlight=False,
    )
    if figures.account is not None:
        console.print(figures.account.text, highlight=False, soft_wrap=True)
    if figures.shortage:
        console.print(figures.shortage, highlight=False, soft_wrap=True)
    for failure in figures.failures:
        console.print(f"chunk {failure.chunk} is {failure.instead}: {failure.reason}", highlight=False, soft_wrap=True)
    for note in figures.notes:
        console.print(note, highlight=False, soft_wrap=True)


def _arrays(figures: Figures) -> Table:
    """What became of each array: what was lost of it, or, where nothing was compressed, what was done to it."""
    total = f"{size(figures.raw_bytes)} in {size(figures.stored_bytes)} ({figures.ratio:.1f}x)"
    table = Table(title=f"{figures.destination}: {total}")
    plain, done = figures.plan.plain, {array.path: array.done for array in figures.plan.arrays}
    about = ("what",) if plain else ("PSNR dB", "max error")
    for column in ("array", "raw", "stored", "ratio", *about, "chunks", "verified"):
        table.add_column(column, justify="left" if column in ("array", "what") else "right")
    for array in figures.arrays:
        psnr = "lossless" if array.psnr is None else f"{array.psnr:.2f}"
        sizes = (size(array.raw_bytes), size(array.stored_bytes), f"{array.ratio:.1f}")
        kept = (done[array.path],) if plain else (psnr, f"{array.max_error:g}")
        table.add_row(array.path or "/", *sizes, *kept, f"{array.chunks:,}", f"{array.verified:,}")
    return table


def tiff(written: TiffReport, console: Console | None = None) -> None:
    """Print what an export to OME-TIFF wrote."""
    (console or Console(markup=False)).print(written.line, highlight=False, soft_wrap=True)


@contextmanager
def following(
    progress: bool | Callable[[int, int], None], console: Console | None = None, unit: str = "chunks"
) -> Iterator[Callable[..., None]]:
    """What a job calls to say how far it is: a bar, on stdout or a given console, a given function, or nothing.

    It is called as `tinc_codec.jobs.counts.Following` is, with the number of units that are done and of all; a given
    function hears of these only.
    """
    if callable(progress):
        yield lambda done, total, *_: progress(done, total)
        return
    columns = (
        TextColumn(unit),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[sizes]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    start = time.perf_counter()
    with Progress(*columns, console=console, disable=not progress) as bar:
        task = bar.add_task(unit, total=None, sizes="")

        def show(done: int, total: int, raw: int = 0, stored: int = 0) -> None:
            speed = f"{size(raw)} in {size(stored)}, {size(raw / (time.perf_counter() - start))}/s" if raw else ""
            bar.update(task, completed=done, total=total, sizes=speed)

        yield show
