"""A destination without renames, such as an object store: it is claimed, written, and published or still absent."""

from __future__ import annotations

import hashlib
import json
import socket
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.common import concurrent_map
from zarr.core.sync import sync
from zarr.storage import StorePath

from tinc_codec.errors import ConfigurationError, DestinationError
from tinc_codec.hosts.stores import open_destination_store
from tinc_codec.jobs.held import HeldStore, is_document, waves
from tinc_codec.jobs.inventory import take_inventory
from tinc_codec.jobs.ledger import EMPTY, Ledger, Record
from tinc_codec.jobs.nodes import CONSOLIDATED, METADATA
from tinc_codec.jobs.objects import read_objects

CLAIM = ".tinc-job"
"""Key of the object that says whose destination this is, as long as it is not published."""

_TOGETHER = 64
"""Requests to a store at the same time."""


@dataclass(frozen=True, eq=False)
class Remote:
    """A destination that a URL names.

    Parameters
    ----------
    held
        What the job writes to; its documents are entered before anything else.
    ledger
        Of the job.
    """

    held: HeldStore
    ledger: Ledger

    @classmethod
    def open(cls, url: str, options: Mapping[str, Any] | None, ledger: Ledger) -> Remote:
        """Open a URL with fsspec's ``storage_options``."""
        return cls(HeldStore(open_destination_store(url, options)), ledger)

    @property
    def _name(self) -> str:
        return self.held.url

    @property
    def _place(self) -> StorePath:
        """The store as its readers see it."""
        return StorePath(self.held.store)

    def goes_on(self, job: Mapping[str, Any], resume: bool) -> bool:
        """Whether this goes on with what an earlier run of the job wrote or published; else `claim` is to follow.

        Parameters
        ----------
        job
            What distinguishes this job from others.
        resume
            Whether what an earlier run wrote is kept.

        Raises
        ------
        ConfigurationError
            The destination is of another job, or of none.
        """
        mine, claim, own = self._mine(job), self._claim(), self.ledger.noted("claim")
        if claim is not None:
            self._check_own(claim, own)
            return bool(resume and own["mine"] == mine)
        if self.ledger.noted("published") != mine or not self._is_published():
            self._check_absent()
            return False
        if not resume:
            raise ConfigurationError(
                f"destination {self._name} is published, and cannot be made anew where its readers are: remove it "
                "first, or give another"
            )
        return True

    def claim(self, job: Mapping[str, Any]) -> None:
        """Make the destination, of which `goes_on` knows that nobody else has it, this job's and empty.

        Raises
        ------
        ConfigurationError
            It cannot be written, or somebody else was quicker.
        """
        claim = self._claim()
        if claim is None:
            self._put_claim(self._mine(job))
        else:
            self._clear()
            self.ledger.note("claim", {"id": claim["id"], "mine": self._mine(job)})

    def _mine(self, job: Mapping[str, Any]) -> dict[str, Any]:
        return {"job": dict(job), "destination": self._name, "documents": _digest(self.held.documents)}

    def withdraw(self) -> None:
        """Let readers find nothing while chunks are written; what was published may be, or may be half withdrawn."""
        if self._claim() is None:
            self._put_claim(self.ledger.noted("published"))
        self._delete_documents(read_objects(self._place, self.held.documents))

    def publish(self, records: Iterable[Record]) -> None:
        """Let readers find what was written.

        Parameters
        ----------
        records
            Of all chunks that the destination is to have.

        Raises
        ------
        DestinationError
            It was claimed by another job meanwhile, or holds chunks that are not of this one.
        """
        claim = self._claim()
        if claim is None and self._is_published():
            return
        own = self.ledger.noted("claim")
        if claim is None or claim["id"] != own["id"]:
            raise DestinationError(
                f"destination {self._name} was taken or removed by somebody else while this job wrote it: give another"
            )
        self._check_chunks(records)
        documents, store = self.held.documents, self.held.store
        for wave in waves(documents):
            sync(concurrent_map([(key, documents[key]) for key in wave], store.set, _TOGETHER))
        if not self._is_published():
            raise DestinationError(f"the metadata of {self._name} are not as they were written: run it again")
        self.ledger.note("published", own["mine"])
        sync(self.held.store.delete(CLAIM))

    def _claim(self) -> dict[str, Any] | None:
        stored = read_objects(self._place, [CLAIM]).get(CLAIM)
        try:
            claim = None if stored is None else {"id": None, **json.loads(stored)}
        except (ValueError, TypeError):
            claim = {"id": None}
        return claim

    def _check_own(self, claim: Mapping[str, Any], own: Mapping[str, Any] | None) -> None:
        if own is None or claim["id"] != own["id"]:
            raise ConfigurationError(
                f"destination {self._name} is being written by another job, begun on {claim.get('host')} at "
                f"{claim.get('begun')}: give another, or, if that job is no more, remove all that lies below it"
            )

    def _put_claim(self, mine: Mapping[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        claim = {"id": uuid.uuid4().hex, "host": socket.gethostname(), "begun": now}
        self.ledger.note("claim", {"id": claim["id"], "mine": mine})
        try:
            sync(self.held.store.set_if_not_exists(CLAIM, _buffer(json.dumps(claim).encode())))
        except DestinationError as error:
            raise ConfigurationError(f"destination {self._name} cannot be written: {error}") from error
        current = self._claim()
        self._check_own(current or {"id": None}, claim)

    def _check_absent(self) -> None:
        """Raise unless there is nothing; documents are asked for by name, since a listing may come late."""
        there = sorted(read_objects(self._place, (*METADATA, CONSOLIDATED))) or self._listed()
        if there:
            raise ConfigurationError(
                f"destination {self._name} exists and is not of this job, as {there[0]} shows: give another, or remove "
                "it"
            )

    def _is_published(self) -> bool:
        """Whether all documents are there as they are to be."""
        there = read_objects(self._place, self.held.documents)
        return there.keys() == self.held.documents.keys() and all(
            json.loads(there[key]) == json.loads(document.to_bytes()) for key, document in self.held.documents.items()
        )

    def _check_chunks(self, records: Iterable[Record]) -> None:
        """Raise where there is a chunk that the job did not write: readers would take it for the array's."""
        written: dict[str, set[str]] = {}
        for record in records:
            if record.digest != EMPTY:
                written.setdefault(record.array, set()).add(record.key)
        inventory = take_inventory(StorePath(self.held))
        for path, keys in inventory.chunks.items():
            if strange := sorted(keys - written.get(path, set())):
                raise DestinationError(
                    f"destination {self._name} holds chunk {strange[0]} of array {path!r}, which this job did not "
                    f"write ({len(strange)} such): begin anew with resume=False"
                )

    def _clear(self) -> None:
        """Remove what an earlier run of this job wrote where there was nothing; the claim stays."""
        keys = self._listed()
        self._delete_documents(filter(is_document, keys))
        self._delete(key for key in keys if not is_document(key))

    def _delete_documents(self, keys: Iterable[str]) -> None:
        for wave in reversed(waves(keys)):
            self._delete(wave)

    def _delete(self, keys: Iterable[str]) -> None:
        sync(concurrent_map([(key,) for key in keys], self.held.store.delete, _TOGETHER))

    def _listed(self) -> list[str]:
        async def keys() -> list[str]:
            return sorted([key async for key in self.held.store.list_prefix("") if key != CLAIM])

        return sync(keys())


def _digest(documents: Mapping[str, Buffer]) -> str:
    text = {key: json.loads(document.to_bytes()) for key, document in documents.items()}
    return hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()


def _buffer(data: bytes) -> Buffer:
    return default_buffer_prototype().buffer.from_bytes(data)
