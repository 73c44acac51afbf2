"""Draw README's figures: slices of the phantom, and plots of figures that were measured.

Run from the repository's root: ``python examples/figures/draw.py``. ``ratios.json`` and ``efforts.json`` are what
``measure.py`` wrote, on the real volumes.
"""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tables import CROPS, FOLDER, stored

from tinc_codec import TINCCodec, decode
from tinc_codec.phantom import light_sheet

CODECS = {"tinc": "TINC", "av1": "AV1", "hevc": "HEVC", "sperr": "SPERR", "sz3": "SZ3"}
COLOURS = {"tinc": "#c1272d", "av1": "#0072b2", "hevc": "#56b4e9", "sperr": "#009e73", "sz3": "#999999"}
ITEM = {"brain64": 2, "cells": 2, "wholebrain": 2, "fibsem": 1, "embryo": 1, "mni": 4}


def slices(path):
    """The phantom, at a ratio of 64, and within a bound; below, what each differs by."""
    volume = light_sheet((64, 160, 160))
    codecs = {"ratio=64": TINCCodec(ratio=64), "max_error=16": TINCCodec(max_error=16)}
    z = volume.shape[0] // 2
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    low, high = np.percentile(volume[z], [0.5, 99])
    axes[0, 0].imshow(volume[z], cmap="gray", vmin=low, vmax=high)
    axes[0, 0].set_title(f"original: {volume.nbytes:,} bytes")
    for column, (name, codec) in enumerate(codecs.items(), start=1):
        stream = codec.encode(volume)
        decoded = decode(stream)
        axes[0, column].imshow(decoded[z], cmap="gray", vmin=low, vmax=high)
        axes[0, column].set_title(f"{name}: {len(stream):,} bytes")
        delta = decoded.astype(float) - volume
        shown = axes[1, column].imshow(delta[z], cmap="RdBu_r", vmin=-30, vmax=30)
        axes[1, column].set_title(f"difference: at most {np.abs(delta).max():.0f}, rms {delta.std():.1f}")
    axes[1, 0].set_axis_off()
    figure.colorbar(
        shown, ax=axes[1, 0], location="bottom", shrink=0.8, anchor=(0.5, 3), label="difference, grey levels"
    )
    for ax in axes.ravel():
        ax.set_xticks([])
        ax.set_yticks([])
    figure.savefig(path, dpi=90)


def rate_distortion(rows, path):
    """PSNR over bits a voxel, a panel for each volume."""
    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, (crop, title) in zip(figure.subplots(2, 3).ravel(), CROPS.items(), strict=True):
        for codec, label in CODECS.items():
            points = sorted(
                (8 * ITEM[crop] / r["ratio"], r["psnr"])
                for r in rows
                if (r["crop"], r["codec"].lower()) == (crop, codec)
            )
            style = {"linewidth": 2.2, "zorder": 3} if codec == "tinc" else {"linewidth": 1.2}
            ax.plot(*zip(*points, strict=True), "o-", markersize=3.5, label=label, color=COLOURS[codec], **style)
        ax.set_xscale("log", base=2)
        ax.set_xticks([8 * ITEM[crop] / ratio for ratio in (256, 128, 64, 32)])
        ax.set_xticklabels([f"{8 * ITEM[crop] / ratio:.3g}" for ratio in (256, 128, 64, 32)])
        ax.set_title(title, fontsize=10)
        ax.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    figure.supxlabel("bits a voxel (256x, 128x, 64x, 32x smaller)", fontsize=10)
    figure.supylabel("PSNR, dB", fontsize=10)
    figure.savefig(path, dpi=100)


def efforts(points, path):
    """What each effort gains in decibels at 64x, over the time that it takes."""
    figure = Figure(figsize=(7.2, 4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    for crop, title in CROPS.items():
        mine = [point for point in points if point["crop"] == crop]
        seconds = [point["seconds"] / point["megabytes"] for point in mine]
        gains = [point["psnr"] - mine[0]["psnr"] for point in mine]
        ax.plot(seconds, gains, "o-", markersize=3.5, label=title)
        for point, x, y in zip(mine, seconds, gains, strict=True):
            ax.annotate(str(point["effort"]), (x, y), (0, 4), textcoords="offset points", fontsize=7)
    ax.set_xscale("log")
    ax.set_xlabel("seconds a megabyte of raw data, two cores (efforts beside the points)")
    ax.set_ylabel("dB over effort 1, at a ratio of 64")
    ax.grid(alpha=0.3)
    ax.legend(fontsize=8)
    figure.savefig(path, dpi=100)


def draw():
    """All of them."""
    slices(FOLDER / "slices.png")
    efforts(stored("efforts"), FOLDER / "efforts.png")
    rate_distortion(stored("ratios"), FOLDER / "rate_distortion.png")


if __name__ == "__main__":
    draw()
