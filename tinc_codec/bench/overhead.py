"""What scheduling costs: a job over a terabyte whose tasks do nothing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.jobs.cluster import Workers, connected
from tinc_codec.jobs.destination import create_empty, open_array
from tinc_codec.jobs.destination_array import WriteSettings
from tinc_codec.jobs.grids import Shape
from tinc_codec.jobs.ledger import Ledger, Record
from tinc_codec.jobs.plan import make_plan
from tinc_codec.jobs.request import Request
from tinc_codec.jobs.route import Route
from tinc_codec.jobs.rules import Rules
from tinc_codec.jobs.scheduler import Job, Task
from tinc_codec.jobs.work import Piece, Work, unpacked

SHAPE = (8192, 8192, 8192)
"""Of uint16: 1.1 TB."""

CHUNKS: tuple[Shape, ...] = ((256, 256, 512), (128, 128, 256))
"""Of 67 MB and of 8.4 MB."""


@dataclass(frozen=True)
class Overhead:
    """A job whose tasks do nothing: times in seconds, memory in bytes.

    Parameters
    ----------
    chunks
        Their shape.
    planning
        Time to open the source and to plan.
    tasks, seconds
        Number of chunks, and time from the first to the last; each is written and verified in tasks of their own, and
        entered in the ledger.
    memory_at_tenth, memory_at_end
        Of the process that runs client and scheduler, after a tenth of the chunks and after all.
    """

    chunks: Shape
    planning: float
    tasks: int
    seconds: float
    memory_at_tenth: int
    memory_at_end: int

    @property
    def per_task(self) -> float:
        """Seconds a chunk."""
        return self.seconds / self.tasks

    @property
    def line(self) -> str:
        """For the terminal."""
        return (
            f"{self.chunks}: {self.tasks:,} tasks in {self.seconds:.1f} s, {1000 * self.per_task:.2f} ms each; "
            f"planned in {self.planning:.2f} s; {self.memory_at_tenth / 1e6:.0f} MB of memory after a tenth, "
            f"{self.memory_at_end / 1e6:.0f} MB at the end"
        )

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "per_task": self.per_task}


def write_nothing(packed: bytes, piece: Piece, instead: str | None = None) -> Record:
    """Say that a chunk was written."""
    work = unpacked(packed)
    return Record(
        array=work.path,
        key=work.key(piece.index),
        index=piece.index,
        fingerprint=work.fingerprint,
        digest="nothing",
        raw_bytes=0,
        stored_bytes=0,
        voxels=0,
        squares=0.0,
        max_error=0.0,
        low=None,
        high=None,
        kinds={},
        seconds=0.0,
        memory=0,
        verified=False,
    )


def verify_nothing(_: bytes, record: Record, piece: Piece) -> Record:
    """Say that a chunk was verified."""
    return replace(record, verified=True)


def overhead(workers: int = 2) -> Iterator[Overhead]:
    """Run the jobs, one for each size of chunks."""
    for chunks in CHUNKS:
        with tempfile.TemporaryDirectory() as folder:
            yield _measure(Path(folder), chunks, workers)


def _measure(folder: Path, chunks: Shape, workers: int) -> Overhead:
    create_empty(folder / "source.zarr", SHAPE, chunks)
    start = time.perf_counter()
    request = Request(Route(folder / "source.zarr", folder / "target.zarr"), WriteSettings(TINCCodec(ratio=64).config))
    destination = request.destination()
    plan = make_plan(destination, "target.zarr", Workers(workers, 1, 2**33), 0)
    planning = time.perf_counter() - start
    destination.create(folder / "target.zarr")
    (array,) = destination.arrays
    written = open_array(folder / "target.zarr", "")
    work = Work("", array.member.reader, written, "encode", array.config, chunks, array.regions, "nothing")
    process, memory, done = psutil.Process(), [], 0
    with connected(None, Workers(workers, 1, 2**31)) as client, Ledger(folder / "ledger") as ledger:
        job = Job(client, Rules(), write_nothing, verify_nothing)
        start = time.perf_counter()
        for record in job.run(Task(work, Piece(index)) for index in array.regions):
            assert isinstance(record, Record)
            ledger.add(record)
            done += 1
            if done in (plan.tasks // 10, plan.tasks):
                memory.append(process.memory_info().rss)
        seconds = time.perf_counter() - start
    return Overhead(chunks, planning, done, seconds, memory[0], memory[-1])
