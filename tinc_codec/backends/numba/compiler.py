"""How numba compiles for this package."""

from __future__ import annotations

from typing import Any


def jit(function: Any) -> Any:
    """Compile at the first call, without the interpreter's lock, and keep the code beside the file or in a cache."""
    from numba import njit

    try:
        return njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # there is no folder that compiled code could be kept in
        return njit(function, nogil=True, error_model="numpy")
