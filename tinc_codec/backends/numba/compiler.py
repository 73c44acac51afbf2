"""How numba compiles for this package, and when compiled code is of no use any more."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

_FOLDERS = ("backends/numba", "backends/numba/detail", "residual", "stream", "tree", "detail")
"""Folders whose files compiled functions are made of, or take numbers from."""


@cache
def _guard_forks() -> None:
    """Let no process fork while another thread compiles or loads compiled code: numba's lock would stay taken there."""
    from numba.core.compiler_lock import global_compiler_lock

    if hasattr(os, "register_at_fork"):
        release = global_compiler_lock.release
        os.register_at_fork(before=global_compiler_lock.acquire, after_in_parent=release, after_in_child=release)


def jit(function: Any, freely: Iterable[str] = ()) -> Any:
    """Compile at the first call, without the interpreter's lock, and keep the code beside the file or in a cache.

    Parameters
    ----------
    freely
        What LLVM may take for granted of floats, such as "reassoc": any order of sums gives the same.
    """
    from numba import njit

    _guard_forks()
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": set(freely)}
    try:
        compiled = njit(function, cache=True, **options)
    except RuntimeError:  # there is no folder that compiled code could be kept in
        return njit(function, **options)
    _depends_on(compiled, sources())
    return compiled


def _depends_on(compiled: Any, stamp: object) -> None:
    """Let kept code count only as long as `stamp` is the same.

    numba looks at the file of a function alone, not at those of the functions that it calls or of the constants that
    it takes: its index of kept code holds a stamp of that file, and this widens it.
    """
    index = compiled._cache._cache_file
    index._source_stamp = (index._source_stamp, stamp)


@cache
def sources() -> tuple[tuple[str, int, int], ...]:
    """Name, time of change and size of every file that compiled functions depend on."""
    package = Path(__file__).parents[2]
    files = [file for folder in _FOLDERS for file in sorted((package / folder).glob("*.py"))]
    return tuple((file.name, (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)
