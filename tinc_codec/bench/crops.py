"""Real volumes, looked for in the environment variable ``TINC_DATA`` and, failing that, in ``../shared/data``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import ConfigurationError

CROPS: dict[str, tuple[str, tuple[slice | int, ...]]] = {
    "brain64": ("brain64", np.s_[:, :, :]),
    "cells": ("cells", np.s_[:24, 128:384, 128:384]),
    "wholebrain": ("wholebrain", np.s_[64:192, 32:160, 64:192]),
    "wholebrain64a": ("wholebrain", np.s_[100:164, 32:96, 56:120]),
    "fibsem": ("fibsem", np.s_[:, :128, :128]),
    "fibsem64": ("fibsem", np.s_[:64, :128, :128]),
    "embryo": ("embryo", np.s_[64:192, 64:192, 64:192]),
    "mni": ("mni", np.s_[27:155, 45:173, 27:155]),
    "mni64a": ("mni", np.s_[59:123, 80:144, 59:123]),
    "wmag": ("wmag", np.s_[:, :, :]),
    "plant": ("plant", np.s_[:, 0, :]),
    "wholebrain64b": ("wholebrain", np.s_[64:128, 64:128, 128:192]),
    "wholebrain64c": ("wholebrain", np.s_[150:214, 100:164, 150:214]),
    "fibsem64a": ("fibsem", np.s_[:64, :64, :64]),
    "fibsem64b": ("fibsem", np.s_[32:96, 96:160, 96:160]),
    "fibsem64c": ("fibsem", np.s_[64:, 192:, 192:]),
    "embryo64a": ("embryo", np.s_[96:160, 96:160, 96:160]),
    "embryo64b": ("embryo", np.s_[64:128, 128:192, 64:128]),
    "embryo64c": ("embryo", np.s_[128:192, 64:128, 128:192]),
    "mni64b": ("mni", np.s_[80:144, 60:124, 80:144]),
    "mni64c": ("mni", np.s_[40:104, 120:184, 60:124]),
}
"""Benchmark crops by name: file and slices."""

BENCHMARK = ("brain64", "cells", "wholebrain", "fibsem", "embryo", "mni")
"""The six crops that every study of targets is made on."""


def data_directory() -> Path:
    """Where the real volumes are.

    Raises
    ------
    ConfigurationError
        They are nowhere.
    """
    for place in (os.environ.get("TINC_DATA"), Path.cwd().parent / "shared" / "data"):
        if place is not None and Path(place).is_dir():
            return Path(place)
    raise ConfigurationError("the volumes are neither in TINC_DATA nor in ../shared/data")


def crop(name: str) -> NDArray[Any]:
    """A benchmark crop by name."""
    if name not in CROPS:
        raise ConfigurationError(f"crop {name!r} is not known; known are {', '.join(CROPS)}")
    file, box = CROPS[name]
    return np.ascontiguousarray(np.load(data_directory() / f"{file}.npy", mmap_mode="r")[box])
