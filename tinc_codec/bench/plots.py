"""Pictures of a bench, as PNGs."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.bench.comparison import LOSSLESS, Trial, middle_plane
from tinc_codec.bench.data_study import DataStudy
from tinc_codec.bench.spectrum import frequencies
from tinc_codec.errors import MissingDependencyError

_COLOURS = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22", "#7f7f7f")
_OURS = ("#ff9896", "#d62728", "#8b0000")
_SHOWN_PEERS = 3
_DETAIL = 96
"""Pixels along an edge of the part that is enlarged."""


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("the page needs matplotlib: pip install 'tinc-codec[bench]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def _styles(study: DataStudy) -> dict[str, dict[str, Any]]:
    """How each codec is drawn, the same in every picture."""
    ours = sorted({trial.codec for trial in study.trials if trial.ours})
    peers = list(dict.fromkeys(trial.codec for trial in study.trials if not trial.ours and trial.goal != LOSSLESS))
    shades = _OURS[-len(ours) :] if len(ours) <= len(_OURS) else (*_OURS, *_OURS * len(ours))
    styles = {name: {"color": shades[n], "lw": 2.5, "marker": "o", "zorder": 5} for n, name in enumerate(ours)}
    for number, name in enumerate(peers):
        marker = "sD^vP*Xp"[number % 8]
        styles[name] = {"color": _COLOURS[number % len(_COLOURS)], "lw": 1.3, "marker": marker, "ms": 4.5}
    return styles


def rate_distortion(study: DataStudy) -> bytes:
    """PSNR, SSIM and blobs over bits a voxel."""
    figure = _figure(14, 4.6)
    measures: dict[str, Callable[[Trial], float]] = {
        "PSNR (dB)": lambda trial: trial.fidelity.psnr,
        "SSIM": lambda trial: trial.fidelity.ssim,
        f"F1 of {study.reference.blob_count:,} blobs": lambda trial: trial.fidelity.blobs.f1,
    }
    all_axes = figure.subplots(1, len(measures))
    for ax, (title, measure) in zip(all_axes, measures.items(), strict=True):
        ours = _draw_curves(ax, study, measure)
        ax.set_title(title, fontsize=11)
        if len(ours) > 1:  # what is far below tinc would press the rest together
            low, high = ax.get_ylim()
            ax.set_ylim(max(low, min(ours) - 0.7 * (max(ours) - min(ours))), high)
    handles, labels = all_axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=9)
    return _png(figure)


def _draw_curves(ax: Any, study: DataStudy, measure: Callable[[Trial], float]) -> list[float]:
    """A measure over bits a voxel, a curve for each codec; the values of tinc."""
    ours = []
    for codec, style in _styles(study).items():
        trials = [trial for trial in study.trials if trial.codec == codec and math.isfinite(measure(trial))]
        points = sorted((_bits(trial, study), measure(trial)) for trial in trials)
        ours += [measure(trial) for trial in trials if trial.ours]
        ax.plot([x for x, _ in points], [y for _, y in points], label=codec, **style)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("bits a voxel")
    ax.grid(alpha=0.3, which="both")
    return ours


def _bits(trial: Trial, study: DataStudy) -> float:
    return 8 * trial.stored_bytes / study.reference.volume.size


def seconds(study: DataStudy, goal: str) -> bytes:
    """Time to encode and to decode at a goal."""
    trials = [trial for trial in study.trials if trial.goal in (goal, LOSSLESS)]
    figure = _figure(10, 0.9 + 0.36 * len(trials))
    for ax, what in zip(figure.subplots(1, 2, sharey=True), ("encode", "decode"), strict=True):
        values = [max(getattr(trial, f"{what}_seconds"), 1e-4) for trial in trials]
        colours = ["#d62728" if trial.ours else "#7f9fbf" for trial in trials]
        bars = ax.barh(range(len(trials)), values, color=colours)
        ax.bar_label(bars, [_duration(value) for value in values], padding=3, fontsize=9)
        ax.set_yticks(range(len(trials)), [t.codec + (" (lossless)" if t.goal == LOSSLESS else "") for t in trials])
        ax.set_xscale("log")
        ax.set_xlim(min(values) / 2, max(values) * 6)
        ax.set_xlabel(f"seconds to {what}")
    ax.invert_yaxis()  # shared: the first codec on top
    return _png(figure)


def _duration(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


def best_of(study: DataStudy, goal: str) -> list[Trial]:
    """At a goal, tinc at its highest effort, and the best peers by PSNR."""
    trials = [trial for trial in study.trials if trial.goal == goal]
    ours = [trial for trial in trials if trial.ours][-1:]
    peers = sorted((t for t in trials if not t.ours), key=lambda trial: -trial.fidelity.psnr)
    return ours + peers[:_SHOWN_PEERS]


def slices(study: DataStudy, goal: str) -> bytes:
    """The middle plane of the original and of the best, the differences, and a part of it enlarged."""
    original, trials = middle_plane(study.reference.volume), best_of(study, goal)
    detail = _detail(original)
    rows: list[Any] = [slice(None), detail] if 2 * original[detail].size <= original.size else [slice(None)]
    heights = [min(max(original[part].shape[0] / original[part].shape[1], 0.2), 2.5) for part in rows]
    columns = len(trials) + 1
    figure = _figure(15, 15 / columns * 2 * sum(heights) + 0.5)
    axes: Any = figure.subplots(2 * len(rows), columns, squeeze=False, height_ratios=np.repeat(heights, 2))
    low, high = (float(v) for v in np.percentile(original, [0.5, 99.8]))
    gray = {"cmap": "gray", "vmin": low, "vmax": max(high, low + 1e-12)}
    spread = 3 * max((float(metrics.difference(original, t.plane).std()) for t in trials), default=1.0) or 1.0
    signed = {"cmap": "RdBu_r", "vmin": -spread, "vmax": spread}
    for ax in axes.flat:
        ax.set_axis_off()
    for column, plane in enumerate([original, *(trial.plane for trial in trials)]):
        axes[0, column].set_title(_title(trials[column - 1]) if column else "original", fontsize=11)
        for row, part in enumerate(rows):
            axes[2 * row, column].imshow(plane[part], interpolation="nearest", aspect="auto", **gray)
            if column:
                delta = metrics.difference(original[part], plane[part])
                drawn = axes[2 * row + 1, column].imshow(delta, interpolation="nearest", aspect="auto", **signed)
    for row, name in enumerate(("", " of the enlarged part")[: len(rows)]):
        ax = axes[2 * row + 1, 0]
        ax.text(0.5, 0.62, f"decoded - original{name}", ha="center", transform=ax.transAxes, fontsize=11)
        bar = ax.inset_axes((0.1, 0.45, 0.8, 0.06))
        figure.colorbar(drawn, cax=bar, orientation="horizontal")
    return _png(figure)


def _title(trial: Trial) -> str:
    return f"{trial.codec}\n{trial.ratio:.1f}x, {trial.fidelity.psnr:.2f} dB"


def _detail(plane: NDArray[Any]) -> tuple[slice, slice]:
    """The part of a plane that varies most, of those on a grid."""
    edges = [min(_DETAIL, n) for n in plane.shape]
    starts = [sorted({*range(0, n - e + 1, max(e // 2, 1)), n - e}) for n, e in zip(plane.shape, edges, strict=True)]
    parts = [(slice(y, y + edges[0]), slice(x, x + edges[1])) for y in starts[0] for x in starts[1]]
    return max(parts, key=lambda part: float(plane[part].std()))


def spectrum(study: DataStudy, goal: str) -> bytes:
    """Power of each codec's error, and of the original, over the fineness of detail."""
    figure = _figure(9, 4.8)
    ax = figure.subplots()
    ax.plot(frequencies(), study.reference.spectrum, "k--", lw=1.8, label="the original itself")
    if study.reference.noise:
        ax.axhline(study.reference.noise**2, color="k", lw=0.8, ls=":", label="its noise")
    styles = _styles(study)
    for trial in study.trials:
        if trial.goal == goal:
            style = {**styles[trial.codec], "marker": None}
            ax.plot(frequencies(), trial.fidelity.error_spectrum, label=trial.codec, **style)
    ax.set_yscale("log")
    ax.set_xlabel("cycles a voxel: coarse structure left, voxel by voxel right")
    ax.set_ylabel("power of the error")
    ax.grid(alpha=0.3)
    ax.legend(fontsize=9, bbox_to_anchor=(1.01, 1), loc="upper left")
    return _png(figure)
