"""Who walks over pieces: the one place where it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail import walk
from tinc_codec.jit import compiled

if TYPE_CHECKING:
    from tinc_codec.detail.backend_numba import Walker as CompiledWalker

Walker = Union[walk.Walker, "CompiledWalker"]


def walker(model: walk.Model, numbers: NDArray[np.int32]) -> Walker:
    """Numba's, where it is installed, or the reference; the numbers and bytes are the same."""
    if compiled():
        from tinc_codec.detail import backend_numba

        return backend_numba.Walker(model, numbers)
    return walk.Walker(model, numbers)
