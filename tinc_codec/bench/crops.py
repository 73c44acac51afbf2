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
    "wholebrain64": ("wholebrain", np.s_[100:164, 32:96, 56:120]),
    "fibsem": ("fibsem", np.s_[:, :128, :128]),
    "fibsem64": ("fibsem", np.s_[:64, :128, :128]),
    "embryo": ("embryo", np.s_[64:192, 64:192, 64:192]),
    "mni": ("mni", np.s_[27:155, 45:173, 27:155]),
    "mni64": ("mni", np.s_[59:123, 80:144, 59:123]),
    "wmag": ("wmag", np.s_[:, :, :]),
    "plant": ("plant", np.s_[:, 0, :]),
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
