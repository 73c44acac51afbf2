"""Measure all that README's figures show, and draw it: one command, an hour of a quiet machine.

Run from the repository's root, with the real volumes in the variable ``TINC_DATA`` or in ``../shared/data``:
``python examples/figures/measure.py``. What each study of ``tinc bench`` measured is written beside this file, then
README's tables are printed, and its plots drawn. Names of studies measure these alone.
"""

import json
import platform
import statistics
import sys
import tempfile
import time

import numpy as np
import zarr
from draw import CROPS, FOLDER, draw_all

import tinc_codec
from tinc_codec import TINCCodec
from tinc_codec.bench.crops import data_directory
from tinc_codec.bench.studies import STUDIES
from tinc_codec.runtime.settings import cores

EFFORT = {"ratios": 3, "efforts": 6, "bounds": 1, "decibels": 3, "reads": 3}
VIDEOS_AND_WAVELETS = ("AV1", "HEVC", "SPERR", "SZ3")
WHOLE = ("cells", "wholebrain")
JOB = ("wholebrain", (128, 96, 128))
REPEATS = 3


def study(name):
    """Rows of a study of `tinc bench`, as JSON objects."""
    rows = []
    for row in STUDIES[name](EFFORT[name]):
        print(row.line, flush=True)
        rows.append(row.as_json())
    return rows


def median(run):
    """Median seconds of some runs, after one that compiles."""
    seconds = []
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def whole():
    """MB/s at which whole files are written in one chunk, and a job of two workers takes chunks of one."""
    rows = []
    for name in WHOLE:
        volume = np.ascontiguousarray(np.load(data_directory() / f"{name}.npy"))
        for effort in (1, 2, 3):
            codec = TINCCodec(ratio=64, effort=effort)
            rows.append({"what": name, "effort": effort, "seconds": median(lambda: codec.encode(volume))})  # noqa: B023
            rows[-1]["rate"] = volume.nbytes / 1e6 / rows[-1]["seconds"]
            print(rows[-1], flush=True)
    name, chunks = JOB
    volume = np.load(data_directory() / f"{name}.npy")
    with tempfile.TemporaryDirectory() as folder:
        zarr.create_array(f"{folder}/raw.zarr", data=volume, chunks=chunks)
        bound = 2 * tinc_codec.noise(volume)
        for number, setting in enumerate(({"ratio": 64}, {"ratio": 64, "effort": 3}, {"max_error": bound})):
            codec, seconds = TINCCodec(**{"effort": 1} | setting), []
            for again in range(REPEATS):
                to = f"{folder}/{number}-{again}.zarr"
                seconds.append(tinc_codec.compress(f"{folder}/raw.zarr", to, codec, workers=2).seconds)
            rows.append({"what": "job", **setting, "seconds": statistics.median(seconds)})
            rows[-1]["rate"] = volume.nbytes / 1e6 / rows[-1]["seconds"]
            print(rows[-1], flush=True)
    return rows


def ratios_table(rows, efforts):
    """PSNR and seconds at 64x."""
    at = {
        (row["crop"], row["codec"]): row
        for row in sorted(rows, key=lambda row: -abs(row["ratio"] - 64))  # the one nearest to 64x counts
    }
    mine = {(point["crop"], point["effort"]): point for point in efforts}
    yield ("volume", "tinc, effort 3", "tinc, effort 1", *VIDEOS_AND_WAVELETS)
    for crop, title in CROPS.items():
        ours = [f"{p['psnr']:.2f} dB, {p['seconds']:.1f} s" for p in (mine[crop, 3], mine[crop, 1])]
        peers = [at[crop, name] for name in VIDEOS_AND_WAVELETS]
        yield (title, f"**{ours[0]}**", ours[1], *(f"{p['psnr']:.2f} dB, {p['encode_seconds']:.1f} s" for p in peers))


def bounds_table(rows):
    """Bytes within a bound, beside the smallest of the peers."""
    settings = (", 1 x noise", ", 2 x noise", ", 4 x noise", "lossless")
    yield ("volume", *(setting.strip(", ") for setting in settings))
    for crop, title in CROPS.items():
        mine, cells = [row for row in rows if row["crop"] == crop], []
        for setting in settings:
            (ours,) = (row for row in mine if row["codec"] == "tinc" and row["setting"].endswith(setting))
            bound = ours["setting"].split(",")[0]  # a peer's setting says no more
            peers = [row for row in mine if row["codec"] != "tinc" and row["setting"] == bound]
            peer = min(peers, key=lambda row: row["stored_bytes"])
            cells.append(f"**{ours['stored_bytes']:,}** ({peer['codec']} {peer['stored_bytes']:,})")
        yield (title, *cells)


def reads_table(rows):
    """Milliseconds of first reads, and of those of a chunk that was read before."""

    def ms(crop, codec, what):
        row = next(r for r in rows if r["crop"] == crop and r["codec"].startswith(codec) and r["what"] == what)
        return f"{1000 * row['seconds']:.1f}"

    yield ("volume", "whole", "plane", "box", "at 1/4", "NumPy, whole", "SPERR, whole", "JPEG 2000, whole; plane")
    for crop, title in CROPS.items():
        parts = [
            f"{ms(crop, f'tinc ({by})', what)}; {ms(crop, f'tinc ({by}, parsed)', what)}"
            for by, what in (("numba", "plane"), ("numba", "box 16^3"), ("decode", "1/4"))
        ]
        others = ms(crop, "tinc (numpy)", "whole"), ms(crop, "SPERR", "whole")
        jpeg = f"{ms(crop, 'JPEG 2000', 'whole')}; {ms(crop, 'JPEG 2000', 'plane')}"
        yield (title, ms(crop, "tinc (numba)", "whole"), *parts, *others, jpeg)


def show(rows):
    """Print a table in Markdown."""
    head, *rest = rows
    for row in (head, ("---",) * len(head), *rest):
        print("|", " | ".join(row), "|")
    print()


def stored(name):
    """What was measured last."""
    return json.loads((FOLDER / f"{name}.json").read_text())


if __name__ == "__main__":
    for name in sys.argv[1:] or [*EFFORT, "whole"]:
        measured = whole() if name == "whole" else study(name)
        (FOLDER / f"{name}.json").write_text(json.dumps(measured, indent=1) + "\n")
    print(f"{platform.processor() or platform.machine()}, {cores()} cores\n")
    tables = {
        "ratios": lambda: ratios_table(stored("ratios"), stored("efforts")),
        "bounds": lambda: bounds_table(stored("bounds")),
        "reads": lambda: reads_table(stored("reads")),
    }
    for name, table in tables.items():
        if (FOLDER / f"{name}.json").exists():
            show(table())
    draw_all()
