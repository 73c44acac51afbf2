"""What is done of a job, on disk beside the destination: one line of JSON for each chunk that was written.

Only the process that runs the job writes it. A line is whole or it does not count; whatever is not in it is done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tinc_codec.errors import ConfigurationError, JobError

_BEGIN = "begin"

EMPTY = "empty"
"""Digest of a chunk that is all fill value, which Zarr does not store."""


@dataclass(frozen=True, slots=True)
class Record:
    """One chunk or shard that was written, and read back where the job verifies.

    Parameters
    ----------
    array, key
        Path of the array, and key of the chunk or shard in it.
    index
        Its place in the grid of chunks or shards.
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
    memory
        Most bytes of memory that the worker had held by then.
    verified
        Whether it was read back and compared.
    instead
        Why it is stored losslessly instead of as asked; None where it is as asked.
    source
        SHA-256 of the samples as they were read, of a copy the bytes; empty where the job itself makes them.
    short
        How often a device's memory had not held what was asked of it, by what the worker did then, see
        `tinc_codec.runtime.shortage`.
    """

    array: str
    key: str
    index: tuple[int, ...]
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
    memory: int
    verified: bool
    instead: str | None = None
    source: str = ""
    short: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Key of the chunk or shard in the store."""
        return f"{self.array}/{self.key}".lstrip("/")


def fingerprint(*parts: object) -> str:
    """Digest of all that a chunk's bytes depend on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Ledger:
    """The ledger of one destination, open for writing while its context lasts.

    Parameters
    ----------
    path
        Its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
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
        with self._explained() if kind is None else contextlib.suppress(OSError):  # the first error is the one to tell
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()
        self._file = None

    def add(self, record: Record) -> None:
        """Enter a chunk that is safely in the store."""
        self._write({"chunk": asdict(record)})

    def note(self, kind: str, value: Any) -> None:
        """Enter something about the whole job, and see that it is on the disk."""
        self._write({kind: value})
        assert self._file is not None
        with self._explained():
            os.fsync(self._file.fileno())

    def begin(self) -> None:
        """Enter that a job begins anew: the chunks before are those of another."""
        self.note(_BEGIN, True)

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            raise ConfigurationError(f"ledger {self.path} is not open for writing")
        with self._explained():
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JobError(
                f"ledger {self.path} cannot be written: {error}; what it has is done, run it again"
            ) from error

    def records(self) -> dict[tuple[str, str], Record]:
        """Read the job's chunks from the disk, by array and key; the last entry of each counts."""
        records: dict[tuple[str, str], Record] = {}
        for line in self._lines():
            if _BEGIN in line:
                records.clear()
            elif "chunk" in line and (record := _record(line["chunk"])) is not None:
                records[record.array, record.key] = record
        return records

    def noted(self, kind: str) -> Any:
        """The last entry of a kind about the whole job; None where there is none."""
        last = None
        for line in self._lines():
            last = line.get(kind, last)
        return last

    def _lines(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for text in file:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue  # cut off by the end of the process that wrote it
                if isinstance(line, dict):
                    yield line


def _record(fields: dict[str, Any]) -> Record | None:
    try:
        return Record(**{**fields, "index": tuple(fields["index"])})
    except (KeyError, TypeError):
        return None  # of another version: its chunk is done again
