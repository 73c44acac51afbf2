"""Memory that runs out while a chunk is decoded, as an error of this package: the one place where it becomes one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinc_codec.errors import OutOfMemoryError


@contextmanager
def accounted(what: str, nbytes: int) -> Iterator[None]:
    """Turn a `MemoryError` into an `OutOfMemoryError` that says what was decoded, of `nbytes` bytes."""
    try:
        yield
    except OutOfMemoryError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError(
            f"memory ran out while {what} of {nbytes} bytes was decoded, which takes several times as much: read a "
            f"part of it, or fewer at a time (TINC_THREADS){f': {error}' if str(error) else ''}"
        ) from error
