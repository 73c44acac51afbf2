"""numba, where it is installed: whether this process decodes with it, and how it compiles."""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any

from tinc_codec.errors import MissingDependencyError
from tinc_codec.runtime.settings import process

log = logging.getLogger("tinc_codec")


def compiled() -> bool:
    """Whether this process decodes with numba; else NumPy and constriction do.

    Raises
    ------
    MissingDependencyError
        It was told to, but numba is not installed.
    """
    return _usable(process().decoder)


@cache
def _usable(decoder: str) -> bool:
    if decoder == "numpy" or (decoder == "auto" and (find_spec("numba") is None or sys.byteorder == "big")):
        return False  # compiled code takes pairs of 16 bits for 32, as they lie on little-endian processors
    try:
        import numba  # noqa: F401
    except ImportError as error:
        if decoder == "auto":
            log.warning("chunks are decoded by NumPy, slowly, since numba cannot be imported: %s", error)
            return False
        raise MissingDependencyError("decoder 'numba' needs numba: pip install 'tinc-codec[fast]'") from error
    return True


@cache
def _guard_forks() -> None:
    """Let no process fork while another thread compiles or loads compiled code: numba's lock would stay taken there."""
    from numba.core.compiler_lock import global_compiler_lock

    if hasattr(os, "register_at_fork"):
        release = global_compiler_lock.release
        os.register_at_fork(before=global_compiler_lock.acquire, after_in_parent=release, after_in_child=release)


def jit(function: Any) -> Any:
    """Compile at the first call, without the interpreter's lock, and keep the code beside the file or in a cache."""
    from numba import njit

    _guard_forks()
    try:
        return njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # there is no folder that compiled code could be kept in
        return njit(function, nogil=True, error_model="numpy")
