"""The figures of a job: of its arrays, its chunks, and the pictures that are shown of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

from numpy.typing import NDArray

from tinc_codec.hosts.regions import Region
from tinc_codec.jobs.account import Account
from tinc_codec.jobs.ledger import Record
from tinc_codec.jobs.plan import Plan
from tinc_codec.jobs.scheduler import Failure
from tinc_codec.metrics import psnr_of
from tinc_codec.runtime import shortage

_SHORT = (
    (shortage.HALVED, "batch was", "batches were", "trained in halves"),
    (shortage.ON_CPU, "chunk was", "chunks were", "worked on by the CPU"),
)
"""For each kind what there was one or many of, and what was done with it."""


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
    worker_memory
        Most bytes of memory that a worker has held.
    copied
        Why it is copied as it is; None where it is compressed.
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
    worker_memory: int
    copied: str | None

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / max(self.stored_bytes, 1)


@dataclass(frozen=True, eq=False)
class Picture:
    """A plane from the middle of an array, as it was and as it is read back.

    Parameters
    ----------
    array
        Path within the destination.
    region
        Its place.
    original, decoded
        Its samples; two axes.
    """

    array: str
    region: Region
    original: NDArray[Any]
    decoded: NDArray[Any]


@dataclass(frozen=True)
class Figures:
    """What a job did.

    Parameters
    ----------
    plan
        What was to be done.
    arrays
        What became of each array.
    done, reused
        Chunks that this run wrote, and that it found done.
    failures
        Chunks that are not as asked, with the reason and what was done instead.
    seconds
        Time of this run.
    records
        Every chunk.
    views
        Pictures of the first arrays.
    notes
        What could not be shown, and why.
    account
        What became of each object of the source; None where an earlier run had put everything in its place.
    """

    plan: Plan
    arrays: tuple[ArrayReport, ...]
    done: int
    reused: int
    failures: tuple[Failure, ...]
    seconds: float
    records: tuple[Record, ...]
    views: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    account: Account | None = None

    @property
    def destination(self) -> str:
        """Where the arrays are."""
        return self.plan.destination

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

    @property
    def shortage(self) -> str:
        """How often devices' memory was too small, what was done, and what avoids it; empty where it never was."""
        counts = sum((Counter(record.short) for record in self.records), Counter[str]())
        parts = [
            f"{counts[kind]:,} {many if counts[kind] > 1 else one} {done}"
            for kind, one, many, done in _SHORT
            if counts[kind]
        ]
        if not parts:
            return ""
        return (
            f"the memory of the GPUs was too small: {' and '.join(parts)}; fewer workers for each GPU, smaller chunks, "
            "or a smaller TINC_BATCH avoid that"
        )

    @property
    def throughput(self) -> float:
        """Raw bytes a second that this run wrote; 0 where it wrote nothing."""
        share = self.done / max(self.done + self.reused, 1)
        return self.raw_bytes * share / max(self.seconds, 1e-9)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object, every chunk in it."""
        fields = asdict(replace(self, views=()))
        del fields["views"]
        return {
            **fields,
            "plan": self.plan.as_json(),
            "raw_bytes": self.raw_bytes,
            "stored_bytes": self.stored_bytes,
            "ratio": self.ratio,
            "throughput": self.throughput,
            "shortage": self.shortage,
        }


def array_report(path: str, records: list[Record], copied: str | None) -> ArrayReport:
    """Put an array's chunks together: squared errors add up, the range is that of all."""
    kinds: Counter[str] = Counter()
    for record in records:
        kinds.update(record.kinds)
    return ArrayReport(
        path,
        sum(record.raw_bytes for record in records),
        sum(record.stored_bytes for record in records),
        psnr_over(records),
        max((record.max_error for record in records), default=0.0),
        len(records),
        sum(record.verified for record in records),
        dict(kinds),
        math.fsum(record.seconds for record in records),
        max((record.memory for record in records), default=0),
        copied,
    )


def psnr_over(records: list[Record]) -> float | None:
    """PSNR in dB of some chunks together, over the range of them all; None where nothing was lost."""
    lows = [record.low for record in records if record.low is not None]
    highs = [record.high for record in records if record.high is not None]
    squares, voxels = math.fsum(record.squares for record in records), sum(record.voxels for record in records)
    if not squares or not lows:
        return None
    return psnr_of(math.sqrt(squares / voxels), max(highs) - min(lows))
