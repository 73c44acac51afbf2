"""What a job did: sizes, quality and time of every array, as JSON, as a table, and as one page of HTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from tinc_codec.arrays.ledger import Record
from tinc_codec.metrics import psnr_of


@dataclass(frozen=True)
class ArrayReport:
    """One array.

    Parameters
    ----------
    path
        Within the destination; empty where that is the array.
    raw_bytes, stored_bytes
        Sizes, without metadata.
    psnr
        dB over the range of all finite voxels; None where nothing was lost, or nothing is known.
    max_error
        Largest absolute error, in the data's units.
    chunks
        Number of chunks or shards.
    verified
        How many of them were read back and compared.
    kinds
        How many chunks are stored in which way.
    worker_seconds
        Time that workers took to write them.
    """

    path: str
    raw_bytes: int
    stored_bytes: int
    psnr: float | None
    max_error: float
    chunks: int
    verified: int
    kinds: dict[str, int]
    worker_seconds: float

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / max(self.stored_bytes, 1)


@dataclass(frozen=True)
class Report:
    """A job.

    Parameters
    ----------
    destination
        Where the arrays are.
    arrays
        What became of each.
    done, reused
        Chunks that this run wrote, and that it found done.
    failed
        Chunks that could not be written as asked, with the reason and what was done instead.
    seconds
        Time of this run.
    """

    destination: str
    arrays: tuple[ArrayReport, ...]
    done: int
    reused: int
    failed: tuple[tuple[str, str, str], ...]
    seconds: float

    @property
    def raw_bytes(self) -> int:
        """Uncompressed size of everything."""
        return sum(array.raw_bytes for array in self.arrays)

    @property
    def stored_bytes(self) -> int:
        """Stored size of everything, without metadata."""
        return sum(array.stored_bytes for array in self.arrays)

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / max(self.stored_bytes, 1)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "raw_bytes": self.raw_bytes, "stored_bytes": self.stored_bytes, "ratio": self.ratio}


def array_report(path: str, records: list[Record]) -> ArrayReport:
    """Put an array's chunks together: errors add up as squares, the range is that of all."""
    kinds: Counter[str] = Counter()
    for record in records:
        kinds.update(record.kinds)
    lows = [record.low for record in records if record.low is not None]
    highs = [record.high for record in records if record.high is not None]
    voxels, squares = sum(record.voxels for record in records), sum(record.squares for record in records)
    psnr = psnr_of((squares / voxels) ** 0.5, max(highs) - min(lows)) if squares and lows else None
    return ArrayReport(
        path,
        sum(record.raw_bytes for record in records),
        sum(record.stored_bytes for record in records),
        psnr,
        max((record.max_error for record in records), default=0.0),
        len(records),
        sum(record.verified for record in records),
        dict(kinds),
        sum(record.seconds for record in records),
    )
