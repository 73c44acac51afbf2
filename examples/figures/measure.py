"""Measure all that README's figures show, draw and print them: one command, an hour of a quiet machine.

Run from the repository's root, with the real volumes in the variable ``TINC_DATA`` or in ``../shared/data``:
``python examples/figures/measure.py``. What each study of ``tinc bench`` measured is written beside this file. Names of
studies, and ``whole``, measure these alone.
"""

import json
import platform
import statistics
import sys
import tempfile
import time
from functools import partial

import draw
import numpy as np
import tables
import zarr

import tinc_codec
from tinc_codec import TINCCodec
from tinc_codec.bench.crops import data_directory
from tinc_codec.bench.studies import STUDIES
from tinc_codec.runtime.settings import cores

EFFORTS = {"ratios": 3, "efforts": 6, "bounds": 1, "decibels": 3, "reads": 3}
WHOLE = ("cells", "wholebrain")
JOB = ("wholebrain", (128, 96, 128))
REPEATS = 3


def study(name):
    """Rows of a study of `tinc bench`."""
    for row in STUDIES[name](EFFORTS[name]):
        print(row.line, flush=True)
        yield row.as_json()


def written():
    """Whole files, written in one chunk."""
    for name in WHOLE:
        volume = np.ascontiguousarray(np.load(data_directory() / f"{name}.npy"))
        for effort in (1, 2, 3):
            encode = partial(TINCCodec(ratio=64, effort=effort).encode, volume)
            encode()  # compiles
            yield _row({"what": name, "effort": effort}, volume, [_seconds(encode) for _ in range(REPEATS)])


def jobs():
    """Jobs of two workers, of a whole file in chunks."""
    name, chunks = JOB
    volume = np.load(data_directory() / f"{name}.npy")
    bound = 2 * tinc_codec.noise(volume)
    settings = ({"ratio": 64, "effort": 1}, {"ratio": 64, "effort": 3}, {"max_error": bound, "effort": 1})
    with tempfile.TemporaryDirectory() as folder:
        zarr.create_array(f"{folder}/raw.zarr", data=volume, chunks=chunks)
        for number, setting in enumerate(settings):
            seconds = []
            for again in range(REPEATS):
                to = f"{folder}/{number}-{again}.zarr"
                report = tinc_codec.compress(f"{folder}/raw.zarr", to, TINCCodec(**setting), workers=2, progress=False)
                seconds.append(report.seconds)
            yield _row({"what": "job", **setting, "psnr": report.arrays[0].psnr}, volume, seconds)


def _seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _row(about, volume, seconds):
    median = statistics.median(seconds)
    row = {**about, "seconds": median, "megabytes_a_second": volume.nbytes / 1e6 / median}
    print(row, flush=True)
    return row


if __name__ == "__main__":
    for name in sys.argv[1:] or [*EFFORTS, "whole"]:
        rows = [*written(), *jobs()] if name == "whole" else list(study(name))
        (tables.FOLDER / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{platform.processor() or platform.machine()}, {cores()} cores\n", *tables.lines(), sep="\n")
    draw.draw()
