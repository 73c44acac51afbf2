"""The account at a job's end: what became of each metadata file and each chunk of the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tinc_codec.errors import JobError
from tinc_codec.jobs.inventory import Inventory, take_inventory
from tinc_codec.jobs.ledger import EMPTY, Record
from tinc_codec.jobs.source_tree import SourceTree


@dataclass(frozen=True)
class Written:
    """What a job wrote of one array.

    Parameters
    ----------
    copied
        Whether it was copied chunk by chunk, as stored; else its samples were read and written anew.
    expected
        Number of its chunks or shards in the destination.
    records
        Those that are done.
    skipped
        Keys of those that failed and were passed over, as the user asked.
    """

    copied: bool
    expected: int
    records: tuple[Record, ...]
    skipped: tuple[str, ...] = ()

    @property
    def stored(self) -> frozenset[str]:
        """Keys of those that are not all fill value."""
        return frozenset(record.key for record in self.records if record.digest != EMPTY)


@dataclass(frozen=True)
class Account:
    """What became of a source's objects.

    Parameters
    ----------
    metadata
        Number of metadata files that the destination has, as they were or for what was made of their node.
    converted, copied
        Number of chunks or shards of the source whose samples were written anew, and that are as they were.
    others
        Number of objects that belong to no node, or to an array that zarr cannot open, and are as they were.
    left_out
        Chunks that were passed over because the user asked for it.
    unaccounted
        What is none of these, with the reason.
    """

    metadata: int = 0
    converted: int = 0
    copied: int = 0
    others: int = 0
    left_out: tuple[str, ...] = ()
    unaccounted: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For people."""
        out = f"; {len(self.left_out):,} chunks left out" if self.left_out else ""
        return (
            f"of the source: {self.metadata:,} metadata files kept, {self.converted:,} chunks converted, "
            f"{self.copied:,} chunks and {self.others:,} other files copied{out}"
        )

    def check(self, destination: str) -> None:
        """Raise `JobError` unless everything is accounted for."""
        if self.unaccounted:
            raise JobError(
                f"{len(self.unaccounted)} objects of the source are not accounted for, so {destination} is left as it "
                f"was: {'; '.join(self.unaccounted[:3])}. Let what writes to the source end, and run it again"
            )


def account(
    planned: Inventory,
    now: Inventory,
    written: Mapping[str, Written],
    others: frozenset[str],
    there: frozenset[str],
) -> Account:
    """Compare what a source holds with what was planned and with what was written.

    Parameters
    ----------
    planned, now
        The source's inventories when the job was planned, and after the last chunk.
    written
        What was written of each array that zarr can open, by path.
    others
        Keys of the objects that were to be copied as they are: of no node, or of arrays that zarr cannot open.
    there
        Those keys of metadata files (of nodes of the source) and of `others` that the destination has. A node counts
        as there if any metadata file of it is, since a format has its own names.
    """
    chunks = {path: now.chunks.get(path, frozenset()) if now.listed else work.stored for path, work in written.items()}
    copied = {path: keys for path, keys in chunks.items() if written[path].copied}
    unaccounted = [
        *_changed(planned, now),
        *_without_metadata(now, there),
        *(f"{key} is not in the destination" for key in sorted(others - there)),
        *(f"{key} appeared while the job ran" for key in sorted(set(now.foreign) - others)),
        *(text for path, work in written.items() for text in _incomplete(path, work, chunks[path])),
    ]
    skipped = {path: len(set(work.skipped) & chunks[path]) for path, work in written.items()}
    return Account(
        sum(len(node.files) for node in now.nodes.values()),
        sum(len(keys) - skipped[path] for path, keys in chunks.items() if path not in copied),
        sum(len(keys) - skipped[path] for path, keys in copied.items()),
        len(others & there),
        tuple(f"{path}/{key}".lstrip("/") for path, work in written.items() for key in work.skipped),
        tuple(unaccounted),
    )


def _changed(planned: Inventory, now: Inventory) -> Iterator[str]:
    """Nodes and chunks that came, went, or are described otherwise since the job was planned."""
    for path in sorted({*planned.nodes, *now.nodes}):
        before, after = planned.nodes.get(path), now.nodes.get(path)
        if before is None or after is None:
            yield f"{path or '/'} {'appeared' if before is None else 'went away'} while the job ran"
        elif (before.document, before.attributes) != (after.document, after.attributes):
            yield f"{path or '/'} has other metadata than when the job was planned"
    for path in sorted({*planned.chunks, *now.chunks}):
        old, new = planned.chunks.get(path, frozenset()), now.chunks.get(path, frozenset())
        yield from (f"chunk {path}/{key} appeared while the job ran" for key in sorted(new - old))
        yield from (f"chunk {path}/{key} went away while the job ran" for key in sorted(old - new))
    for path, keys in now.outside.items():
        yield f"{path}/{min(keys)} is outside of the array's grid of chunks"


def _without_metadata(now: Inventory, there: frozenset[str]) -> Iterator[str]:
    for path, node in now.nodes.items():
        if not any(node.key(name) in there for name in ("zarr.json", ".zarray", ".zgroup")):
            yield f"{path or '/'} has no metadata in the destination"
        elif node.attributes and not any(node.key(name) in there for name in ("zarr.json", ".zattrs")):
            yield f"{path or '/'} has no attributes in the destination"


def _incomplete(path: str, work: Written, chunks: frozenset[str]) -> Iterator[str]:
    done = len({record.key for record in work.records} | set(work.skipped))
    if done != work.expected:
        yield f"{path or '/'} has {work.expected - done} chunks in the destination that nothing was written of"
    if work.copied:
        lacking = chunks - work.stored - set(work.skipped)
        yield from (f"chunk {path}/{key} was not copied" for key in sorted(lacking))


def account_of(
    source: SourceTree, written: Mapping[str, Written], others: Iterable[str], there: frozenset[str]
) -> Account:
    """The account of a job, with another look at the source; of one that is not Zarr there are only chunks."""
    if source.inventory is None or source.place is None:
        incomplete = tuple(text for path, work in written.items() for text in _incomplete(path, work, frozenset()))
        return Account(converted=sum(len(work.records) for work in written.values()), unaccounted=incomplete)
    return account(source.inventory, take_inventory(source.place), written, frozenset(others), there)
