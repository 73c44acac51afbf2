"""Print README's tables, of figures that were measured: ``python examples/figures/tables.py``.

The JSON files beside this one are what ``measure.py`` wrote, on the real volumes.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parent
CROPS = {
    "brain64": "brain, 64³ uint16",
    "cells": "cells, 24x256x256 uint16",
    "wholebrain": "whole brain, 128³ uint16",
    "fibsem": "FIB-SEM, 128³ uint8",
    "embryo": "embryo, 128³ uint8",
    "mni": "MNI template, 128³ float32",
}
PEERS = ("AV1", "HEVC", "SPERR", "SZ3")
NAMES = {"sperr": "SPERR", "sz3": "SZ3", "zfp": "zfp", "jpegxl": "JPEG XL", "pcodec": "PCodec", "zstd": "zstd"}


def ratios_table(rows, efforts):
    """PSNR and seconds at 64x: ours of the study of efforts, peers' at the finest setting within the same bytes."""
    mine = {(point["crop"], point["effort"]): point for point in efforts}
    peers = {(row["crop"], row["codec"]): row for row in rows if row["setting"].endswith("ratio 64")}
    yield ("volume", "tinc, effort 3", "tinc, effort 1", *PEERS)
    for crop, title in CROPS.items():
        third, first = (mine[crop, effort] for effort in (3, 1))
        others = [peers[crop, name] for name in PEERS]
        yield (
            title,
            f"**{third['psnr']:.2f} dB**, {third['seconds']:.1f} s",
            f"{first['psnr']:.2f} dB, {first['seconds']:.1f} s",
            *(f"{peer['psnr']:.2f} dB, {peer['encode_seconds']:.1f} s" for peer in others),
        )


def bounds_table(rows):
    """Bytes within a bound, beside the smallest of the peers."""
    settings = {f"{times} x noise": f", {times} x noise" for times in (1, 2, 4)} | {"lossless": "lossless"}
    yield ("volume", *settings)
    for crop, title in CROPS.items():
        of_crop = [row for row in rows if row["crop"] == crop]
        yield (title, *(_beside_smallest(of_crop, setting) for setting in settings.values()))


def _beside_smallest(rows, setting):
    (ours,) = (row for row in rows if row["codec"] == "tinc" and row["setting"].endswith(setting))
    bound = ours["setting"].split(",")[0]  # a peer's setting says no more
    peers = [row for row in rows if row["codec"] != "tinc" and row["setting"] == bound]
    peer = min(peers, key=lambda row: row["stored_bytes"])
    return f"**{ours['stored_bytes']:,}** ({NAMES[peer['codec'].lower()]} {peer['stored_bytes']:,})"


def reads_table(rows):
    """First reads, and those of a chunk that was read before."""

    def row(crop, codec, what):
        return next(r for r in rows if r["crop"] == crop and r["codec"].startswith(codec) and r["what"] == what)

    def ms(*key):
        milliseconds = 1000 * row(*key)["seconds"]
        return f"{milliseconds:.1f}" if milliseconds < 9.95 else f"{milliseconds:.0f}"

    def both(crop, by, what):
        return f"{ms(crop, f'tinc ({by})', what)}; {ms(crop, f'tinc ({by}, parsed)', what)} ms"

    parts = ("whole chunk", "one z-plane", "16³ box", "at 1/4", "by NumPy, whole")
    yield ("volume", *parts, "SPERR, whole", "JPEG 2000, whole; plane")
    for crop, title in CROPS.items():
        yield (
            title,
            f"{ms(crop, 'tinc (numba)', 'whole')} ms, {_rate(row(crop, 'tinc (numba)', 'whole'))} MB/s",
            both(crop, "numba", "plane"),
            both(crop, "numba", "box 16^3"),
            both(crop, "decode", "1/4"),
            f"{ms(crop, 'tinc (numpy)', 'whole')} ms",
            f"{ms(crop, 'SPERR', 'whole')} ms",
            f"{ms(crop, 'JPEG 2000', 'whole')}; {ms(crop, 'JPEG 2000', 'plane')} ms",
        )


def _rate(read):
    return f"{read['raw_bytes'] / read['seconds'] / 1e6:.0f}"


def stored(name):
    """What a study measured last."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def lines():
    """All tables, in Markdown."""
    tables = (
        ratios_table(stored("ratios"), stored("efforts")),
        bounds_table(stored("bounds")),
        reads_table(stored("reads")),
    )
    for head, *rows in tables:
        yield f"| {' | '.join(head)} |"
        yield "|" + "---|" * len(head)
        yield from (f"| {' | '.join(row)} |" for row in rows)
        yield ""


if __name__ == "__main__":
    print("\n".join(lines()))
