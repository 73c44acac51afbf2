"""NumPy's ways to select parts of an array, as indices along each axis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import SelectionError
from tinc_codec.tree.folding import Indices


@dataclass(frozen=True, eq=False)
class Selection:
    """Which samples of an array are wanted.

    Parameters
    ----------
    indices
        Along each axis, 1-D and not negative. Those of a product are combined with each other; those of points belong
        together, and are equally many.
    product
        Whether it is a product.
    shape
        Of the answer, whose samples are in C order of the product or in the order of the points.
    """

    indices: Indices
    product: bool
    shape: tuple[int, ...]


def select(selection: Any, shape: tuple[int, ...]) -> Selection:
    """What ``array[selection]`` gives for an array of `shape`.

    Parameters
    ----------
    selection
        Integers, slices, ellipsis, arrays of integers or booleans, or a tuple of them, with NumPy's meaning.

    Raises
    ------
    SelectionError
        An `IndexError`, where NumPy has one or another error.
    """
    with _explained(shape):
        return _selection(selection, shape)


def nothing(selection: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What a selection gives of an array without samples; see `select`."""
    with _explained(shape):
        return np.array(np.empty(shape, dtype)[selection])


@contextmanager
def _explained(shape: tuple[int, ...]) -> Iterator[None]:
    """NumPy's errors in this package's kind."""
    try:
        yield
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        raise SelectionError(f"the selection does not fit shape {shape}: {error}") from error


def _selection(selection: Any, shape: tuple[int, ...]) -> Selection:
    items = _complete(selection if isinstance(selection, tuple) else (selection,), shape)
    if items is not None:
        simple = _simple(items, shape)
        if simple is not None:
            return simple
    return _points(selection, shape)


def _complete(items: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """One item for each axis, arrays as such; None where an item is a mask or a new axis, or too many are there."""
    complete: list[Any] = []
    for item in items:
        if item is Ellipsis or isinstance(item, slice):
            complete.append(item)
        elif isinstance(item, bool | np.bool_) or item is None:
            return None
        else:
            array = np.asarray(item)
            if array.dtype.kind not in "iu":
                return None
            complete.append(int(array) if array.ndim == 0 else array)
    gap = len(shape) - sum(item is not Ellipsis for item in complete)
    if gap < 0:
        return None
    if not any(item is Ellipsis for item in complete):
        complete.append(Ellipsis)
    at = next(place for place, item in enumerate(complete) if item is Ellipsis)
    complete[at : at + 1] = [slice(None)] * gap
    return None if any(item is Ellipsis for item in complete) else tuple(complete)


def _simple(items: tuple[Any, ...], shape: tuple[int, ...]) -> Selection | None:
    """A product: integers and slices; one 1-D array among slices; or arrays for all axes as of `numpy.ix_`."""
    arrays = [item for item in items if isinstance(item, np.ndarray)]
    if not arrays:
        indices = tuple(_along(item, n) for item, n in zip(items, shape, strict=True))
        kept = tuple(len(at) for at, item in zip(indices, items, strict=True) if isinstance(item, slice))
        return Selection(indices, True, kept)
    slices = sum(isinstance(item, slice) for item in items)
    alone = len(arrays) == 1 and arrays[0].ndim == 1 and slices == len(items) - 1
    open_mesh = len(arrays) == len(items) and all(
        array.ndim == len(items) and array.size == array.shape[axis] for axis, array in enumerate(arrays)
    )
    if not (alone or open_mesh):
        return None
    indices = tuple(_along(item, n) for item, n in zip(items, shape, strict=True))
    return Selection(indices, True, tuple(map(len, indices)))


def _along(item: Any, n: int) -> NDArray[np.int64]:
    if isinstance(item, slice):
        return np.arange(*item.indices(n), dtype=np.int64)
    index = np.atleast_1d(np.asarray(item, np.int64)).ravel()
    if index.size and not (-n <= index.min() and index.max() < n):
        raise IndexError(f"index {item} is out of bounds for an axis of size {n}")
    return np.where(index < 0, index + n, index)


def _points(selection: Any, shape: tuple[int, ...]) -> Selection:
    """Any selection, by NumPy itself: of arrays that hold their own indices, and take no memory."""
    along = [
        np.broadcast_to(np.arange(n).reshape([-1 if axis == other else 1 for other in range(len(shape))]), shape)
        for axis, n in enumerate(shape)
    ]
    chosen = [np.asarray(axis[selection]) for axis in along]
    if not chosen:
        return Selection((), True, np.empty(())[selection].shape)
    return Selection(tuple(part.ravel().astype(np.int64) for part in chosen), False, chosen[0].shape)
