"""What is done of a job, on disk beside the destination: one line of JSON for each chunk that was written.

Only the process that runs the job writes it. A line is whole or it does not count; whatever is not in it is done again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError

EMPTY = "empty"
"""Digest of a chunk that is all fill value, which Zarr does not store."""


@dataclass(frozen=True)
class Record:
    """One chunk or shard that was written, and read back where the job verifies.

    Parameters
    ----------
    array, key
        Path of the array, and key of the chunk or shard in it.
    fingerprint
        Of the settings and of the source's and destination's layout.
    digest
        SHA-256 of the stored bytes, or `EMPTY`.
    raw_bytes, stored_bytes
        Sizes.
    voxels, squares, max_error
        Number of voxels that were compared, the sum of their squared errors, and the largest error; over what is
        finite.
    low, high
        Range of the voxels, over what is finite; None where nothing is.
    kinds
        How many chunks of it are stored in which way.
    seconds
        Time that writing took.
    verified
        Whether it was read back and compared.
    """

    array: str
    key: str
    fingerprint: str
    digest: str
    raw_bytes: int
    stored_bytes: int
    voxels: int
    squares: float
    max_error: float
    low: float | None
    high: float | None
    kinds: dict[str, int]
    seconds: float
    verified: bool


def fingerprint(config: Config, *layout: object) -> str:
    """Digest of all that a chunk's bytes depend on beside its samples."""
    text = json.dumps([config.to_json(), [str(part) for part in layout]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Ledger:
    """The ledger of one destination.

    Parameters
    ----------
    path
        Its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: dict[tuple[str, str], Record] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        if self._file.tell():  # after a line that was cut off
            self._file.write(b"\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        self.sync()
        self._file.close()
        self._file = None

    def load(self) -> None:
        """Read what is on disk; the last line of a chunk counts, and what is not a whole record does not."""
        for record in _lines(self.path):
            self._records[record.array, record.key] = record

    def find(self, array: str, key: str) -> Record | None:
        """The record of a chunk."""
        return self._records.get((array, key))

    def add(self, record: Record) -> None:
        """Enter a chunk that is safely in the store."""
        if self._file is None:
            raise ConfigurationError(f"ledger {self.path} is not open for writing")
        self._records[record.array, record.key] = record
        self._file.write(json.dumps(asdict(record)).encode() + b"\n")
        self._file.flush()

    def sync(self) -> None:
        """Have the system write it to the disk."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def records(self) -> Iterator[Record]:
        """All chunks, in the order of their first entry."""
        yield from self._records.values()


def _lines(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                fields: dict[str, Any] = json.loads(line)
                yield Record(**fields)
            except (ValueError, TypeError):
                continue  # cut off by the end of the process that wrote it
