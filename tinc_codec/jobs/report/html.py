"""A job's report as one page of HTML that needs nothing else: pictures are in it."""

from __future__ import annotations

import base64
import html
import io
import logging
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.errors import MissingDependencyError
from tinc_codec.hosts.regions import Region
from tinc_codec.jobs.ledger import Record
from tinc_codec.jobs.report.figures import ArrayReport, Figures, Picture, psnr_over
from tinc_codec.jobs.report.units import duration, size

log = logging.getLogger("tinc_codec")

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .8rem; text-align: right; }
th { border-bottom: 2px solid #888; } td { border-bottom: 1px solid #ddd; } td:first-child, th:first-child
{ text-align: left; } img { max-width: 100%; } .warning { color: #a00; } h2 { margin-top: 2.5rem; }
"""


def page(report: Figures) -> str:
    """The page; where a picture cannot be drawn, as without matplotlib, it says why instead."""
    title = html.escape(f"{report.destination}: {size(report.raw_bytes)} in {size(report.stored_bytes)}")
    parts = [f"<h1>{title} ({report.ratio:.1f}x)</h1>", _summary(report), _failures(report)]
    for array in report.arrays:
        if array.kinds:
            parts.append(_section(report, array))
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(parts)}</body></html>\n'


def _summary(report: Figures) -> str:
    columns = ("array", "raw", "stored", "ratio", "PSNR dB", "max error", "chunks", "verified", "stored as")
    rows, done = [], {array.path: array.done for array in report.plan.arrays}
    for array in report.arrays:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in array.kinds.items()) or done[array.path]
        psnr = "lossless" if array.psnr is None else f"{array.psnr:.2f}"
        sizes = (size(array.raw_bytes), size(array.stored_bytes), f"{array.ratio:.1f}")
        counts = (f"{array.chunks:,}", f"{array.verified:,}")
        cells = (array.path or "/", *sizes, psnr, f"{array.max_error:g}", *counts, kinds)
        rows.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
    header = "".join(f"<th>{column}</th>" for column in columns)
    table = f"<table><tr>{header}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    text = (
        f"Asked for: {report.plan.target}. {report.done:,} chunks written and {report.reused:,} found done in "
        f"{duration(report.seconds)} on {report.plan.workers} workers."
    )
    account = "" if report.account is None else f"<p>{html.escape(report.account.text)}</p>"
    return f"<p>{html.escape(text)}</p>{table}{account}"


def _failures(report: Figures) -> str:
    rows = "".join(
        f"<li>{html.escape(f.chunk)} is {html.escape(f.instead)}: {html.escape(f.reason)}</li>" for f in report.failures
    )
    failed = f'<h2>Not as asked</h2><ul class="warning">{rows}</ul>' if rows else ""
    warnings = [report.shortage, *report.notes] if report.shortage else report.notes
    return failed + "".join(f'<p class="warning">{html.escape(text)}</p>' for text in warnings)


def _section(report: Figures, array: ArrayReport) -> str:
    records = [record for record in report.records if record.array == array.path]
    parts = [f"<h2>{html.escape(array.path or '/')}</h2>"]
    for view in report.views:
        if view.array == array.path:
            parts.append(f"<p>{html.escape(_place(view.region))}</p>{_drawn(_slices, view)}")
    return "".join(parts) + _drawn(_quality, records)


def _drawn(draw: Callable[[Any], str], what: Any) -> str:
    try:
        return draw(what)
    except Exception as error:  # a report without a picture is worth more than none
        log.warning("a picture of the report is not drawn: %s", error)
        return f'<p class="warning">Not drawn: {html.escape(f"{type(error).__name__}: {error}")}</p>'


def _place(region: Region) -> str:
    return "[" + ", ".join(f"{part.start}:{part.stop}" for part in region) + "]"


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("the page needs matplotlib: pip install 'tinc-codec[plot]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _image(figure: Any, text: str) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<p><img alt="{html.escape(text)}" src="data:image/png;base64,{data}"></p>'


def _slices(view: Picture) -> str:
    a, b = (np.where(np.isfinite(x), x, 0) for x in (view.original, view.decoded))
    low, high = (float(v) for v in np.percentile(a, [0.5, 99.8]))
    delta = metrics.difference(a, b)
    spread = 3 * float(delta.std()) or 1.0
    figure = _figure(11, 11 / 3 * a.shape[0] / a.shape[1] + 0.6)
    gray = {"cmap": "gray", "vmin": low, "vmax": high}
    signed = {"cmap": "RdBu_r", "vmin": -spread, "vmax": spread}
    titles = ("original", "decoded", "decoded - original")
    panels = zip(figure.subplots(1, 3), (a, b, delta), titles, (gray, gray, signed), strict=True)
    for ax, image, title, settings in panels:
        shown = ax.imshow(image, interpolation="nearest", **settings)
        ax.set_title(title, fontsize=10)
        ax.set_xticks([])
        ax.set_yticks([])
        figure.colorbar(shown, ax=ax, shrink=0.8)
    return _image(figure, "slices: original, decoded, difference")


def _quality(records: list[Record]) -> str:
    """Map and histogram of the chunks' PSNR, over the array's range, and of their largest errors."""
    lows, highs = ([getattr(r, name) for r in records if getattr(r, name) is not None] for name in ("low", "high"))
    if psnr_over(records) is None:
        return "<p>Every chunk is lossless.</p>"
    span = max(highs) - min(lows)
    values = {
        "PSNR dB of each chunk": {r.index: _psnr(r, span) for r in records},
        "largest error of each chunk": {r.index: r.max_error for r in records},
    }
    figure = _figure(11, 6.4)
    for row, (title, by_chunk) in zip(figure.subplots(2, 2), values.items(), strict=True):
        tiles = montage(by_chunk)
        row[0].set_title(f"{title}, slab by slab", fontsize=10)
        row[0].set_xticks([])
        row[0].set_yticks([])
        figure.colorbar(row[0].imshow(tiles, interpolation="nearest", cmap="viridis"), ax=row[0], shrink=0.8)
        finite = [value for value in by_chunk.values() if math.isfinite(value)]
        row[1].hist(finite, bins=min(60, max(8, len(finite) // 4)), color="#46327e")
        row[1].set_xlabel(title)
        row[1].set_ylabel("chunks")
    return _image(figure, "quality of every chunk")


def _psnr(record: Record, span: float) -> float:
    if not record.squares:
        return math.nan  # lossless, or nothing but fill value: there is no number for it
    return metrics.psnr_of(math.sqrt(record.squares / record.voxels), span)


def montage(values: dict[tuple[int, ...], float]) -> NDArray[np.float64]:
    """A value for each place of a grid as one picture: the last two axes are panels, the others count them."""
    rank = len(next(iter(values)))
    shape = tuple(max(index[axis] for index in values) + 1 for axis in range(rank))
    grid = np.full(shape, np.nan)
    for index, value in values.items():
        grid[index] = value
    panels = grid.reshape(-1, *(1, 1, *shape)[-2:])
    number, height, width = panels.shape
    columns = min(number, max(1, round(math.sqrt(2 * number * height / width))))
    rows = -(-number // columns)
    picture = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for place, panel in enumerate(panels):
        top, left = place // columns * (height + 1), place % columns * (width + 1)
        picture[top : top + height, left : left + width] = panel
    return picture
