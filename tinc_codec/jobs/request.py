"""What a job is asked for, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client

from tinc_codec.errors import ConfigurationError, DestinationError, SourceError
from tinc_codec.hosts.patterns import Choice
from tinc_codec.hosts.stores import local_path
from tinc_codec.jobs import destination as layout
from tinc_codec.jobs.cluster import Workers, connected, is_whole, local_workers, workers_of
from tinc_codec.jobs.counts import Progress
from tinc_codec.jobs.destination import DestinationArray, WriteSettings
from tinc_codec.jobs.grids import Shape
from tinc_codec.jobs.judge import judged
from tinc_codec.jobs.ledger import Ledger
from tinc_codec.jobs.plan import Plan, make_plan, needed_by, opaque_plan
from tinc_codec.jobs.remote_destination import Remote
from tinc_codec.jobs.report import terminal as show
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.run import Stage
from tinc_codec.jobs.scheduler import Rules
from tinc_codec.jobs.snapshot import take_snapshot
from tinc_codec.jobs.source_tree import SourceTree, open_source
from tinc_codec.jobs.staging import Place

_WORTH_SAMPLING = 20
"""Chunks for each one that a job compresses beforehand for the sake of its estimates, at least."""


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be made of what; see `compress`."""

    src: Any
    dst: str | Path | None
    writer: WriteSettings
    chunks: Shape | None = None
    shards: Shape | None = None
    zarr_format: int | None = None
    pyramid: str = "all"
    ledger: str | Path | None = None
    choice: Choice = field(default_factory=Choice)
    storage_options: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("chunks", "shards"):
            object.__setattr__(self, name, parse_grid(name, getattr(self, name)))
        if self.pyramid not in ("all", "derived"):
            raise ConfigurationError(f"pyramid={self.pyramid!r} is not known; known are 'all' and 'derived'")
        if self.zarr_format is not None and (self.zarr_format is True or self.zarr_format not in (2, 3)):
            raise ConfigurationError(f"zarr_format={self.zarr_format!r} must be 2 or 3")
        for name in ("dst", "ledger"):
            if not isinstance(getattr(self, name), str | Path | None):
                raise ConfigurationError(f"{name}={getattr(self, name)!r} must be a path, or a URL as text")

    def opened(self) -> tuple[SourceTree, list[DestinationArray], int | None]:
        """The source, what is made of it, and the Zarr format that was asked for."""
        try:
            source = judged(open_source(self.src, self.storage_options), self.writer.config, self.choice)
        except SourceError as error:  # no job is at work on it yet
            raise ConfigurationError(str(error)) from error
        except OSError as error:
            raise ConfigurationError(f"source {self.src} cannot be read: {type(error).__name__}: {error}") from error
        return source, layout.targets(source, self.writer, self.zarr_format, self.chunks, self.shards), self.zarr_format

    def workers(
        self, client: Client | None, devices: str | int | list[int], number: int | None, made: list[DestinationArray]
    ) -> Workers:
        """Who does it."""
        if client is not None:
            return workers_of(client)
        return local_workers(devices, number, max(map(needed_by, made), default=1))

    def plan(self, source: SourceTree, made: list[DestinationArray], workers: Workers, samples: int) -> Plan:
        """What is going to be done."""
        nodes = {} if source.inventory is None else source.inventory.nodes
        others = [opaque_plan(path, nodes[path].document, reason) for path, reason in source.opaque.items()]
        destination = source.name if self.dst is None else str(self.dst)
        return make_plan(source.name, destination, made, workers, samples, others)

    def place(self, source: SourceTree) -> Place | None:
        """Where it is written; None where that is not a local directory."""
        if self.dst is None:
            if source.directory is None:
                raise ConfigurationError(
                    f"{source.name} cannot be compressed in place: only a Zarr store in a local directory can be "
                    "renamed; give a destination"
                )
            return Place.of(source.directory)
        path = local_path(self.dst)
        if path is not None and path.suffix == ".zip":
            raise ConfigurationError(f"destination {path}: several workers cannot write one zip file; give a directory")
        if path is None and self.ledger is None:
            raise ConfigurationError(f"destination {self.dst} is not local: say where to keep the job's ledger=...")
        return None if path is None else Place.of(path)

    def run(
        self,
        client: Client | None,
        devices: str | int | list[int],
        number: int | None,
        rules: Rules,
        resume: bool,
        keep_original: bool,
        progress: bool | Progress,
    ) -> Report:
        """Do it."""
        if self.dst is None and not rules.verify and not keep_original:
            raise ConfigurationError("in place, verify=False would remove an original that nothing was compared with")
        source, made, zarr_format = self.opened()
        workers = self.workers(client, devices, number, made)
        place = self.place(source)
        files = self._files(place, source)
        with files.locked(), Ledger(files.ledger) as ledger:
            remote = Remote.open(str(self.dst), self.storage_options, ledger) if place is None else None
            snapshot, derive = take_snapshot(source), self.pyramid == "derived"
            stage = Stage(self.dst is None, derive, source, made, zarr_format, files, ledger, remote, snapshot)
            try:
                root = stage.prepare(resume)
            except DestinationError as error:  # nothing is written yet
                raise ConfigurationError(str(error)) from error
            chunks = 0 if root is None else sum(len(target.regions) for target in made if target.config)
            plan = self.plan(source, made, workers, min(3, chunks // _WORTH_SAMPLING))
            if root == files.staged and plan.expected_bytes is not None:
                files.check_room(plan.expected_bytes)
            if progress is True:
                show.plan(plan)
            with show.following(progress) as told, connected(client, workers) as connection:
                report = stage.run(connection, root, plan, rules, resume, keep_original, told)
        if progress is True:
            show.report(report)
        return report

    def _files(self, place: Place | None, source: SourceTree) -> Place:
        """The store and the job's files, where they can be written."""
        beside = Path(self.ledger) if self.ledger is not None else place.beside if place is not None else None
        assert beside is not None
        files = Place(place.live if place is not None else beside / "remote", beside)
        files.check_writable()
        if source.directory is not None:
            files.check_apart(source.directory)
        return files


def parse_grid(name: str, value: Any) -> Shape | None:
    """Parse `chunks` or `shards`: whole numbers of at least 1.

    Raises
    ------
    ConfigurationError
        They are something else.
    """
    if value is None:
        return None
    if not isinstance(value, tuple | list) or not all(is_whole(edge) and edge >= 1 for edge in value):
        raise ConfigurationError(f"{name}={value!r} must be whole numbers of at least 1, as in (64, 64, 64)")
    return tuple(int(edge) for edge in value)
