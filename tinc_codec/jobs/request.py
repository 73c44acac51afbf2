"""What a job is asked for, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinc_codec.errors import ConfigurationError, SourceError
from tinc_codec.hosts.patterns import Choice
from tinc_codec.jobs.destination import Destination
from tinc_codec.jobs.destination_array import WriteSettings
from tinc_codec.jobs.grids import Grid
from tinc_codec.jobs.judge import judged
from tinc_codec.jobs.route import Route


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be written, of what, and how; see `tinc_codec.compress`.

    Parameters
    ----------
    route
        From where to where.
    writer
        What new arrays are written with.
    grid
        Chunks, shards and Zarr format of the arrays.
    choice
        Which arrays stay exact.
    pyramid
        Of OME-Zarr images: write ``"all"`` levels as they are, or coarser ones ``"derived"`` from the finest.

    Raises
    ------
    ConfigurationError
        There is no such pyramid.
    """

    route: Route
    writer: WriteSettings
    grid: Grid = field(default_factory=Grid)
    choice: Choice = field(default_factory=Choice)
    pyramid: str = "all"

    def __post_init__(self) -> None:
        if self.pyramid not in ("all", "derived"):
            raise ConfigurationError(f"pyramid={self.pyramid!r} is not known; known are 'all' and 'derived'")

    def destination(self) -> Destination:
        """Open the source, and say what is written of it.

        Raises
        ------
        ConfigurationError
            The source cannot be read, or cannot be written as it is asked for.
        """
        source = self.route.source()
        try:
            source = judged(source, self.writer.config, self.choice)
        except SourceError as error:  # no job is at work on it yet
            raise ConfigurationError(str(error)) from error
        except OSError as error:
            raise ConfigurationError(f"source {source.name} cannot be read: {type(error).__name__}: {error}") from error
        return Destination.of(source, self.writer, self.grid)
