"""What every target says: what a chunk must keep, and what it may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self


@dataclass(frozen=True)
class Bound:
    """What is asked of the samples that are not exact.

    Parameters
    ----------
    max_error, rmse
        Largest absolute error and root mean square error, in the data's units; None: nothing is asked of it.
    asked
        The user's words for the bound on the root mean square error.
    """

    max_error: float | None = None
    rmse: float | None = None
    asked: str = field(default="", compare=False)

    def holds(self, max_error: float, rmse: float) -> bool:
        """Whether these errors are within it."""
        return (self.max_error is None or max_error <= self.max_error) and (self.rmse is None or rmse <= self.rmse)

    def complaint(self, max_error: float, rmse: float) -> str | None:
        """What is wrong with these errors, as in "has an error of 3.0, above 2.0"; None: nothing."""
        if self.max_error is not None and max_error > self.max_error:
            return f"has an error of {max_error}, above {self.max_error}"
        if self.rmse is not None and rmse > self.rmse:
            return f"has a root mean square error of {rmse}, above the {self.rmse} of {self.asked}"
        return None


class Target(Protocol):
    """What is asked of every chunk: a frozen dataclass, made from a setting of the same name."""

    option: ClassVar[str]
    """Name of the setting."""

    bytes_per_voxel: ClassVar[int]
    """Memory that encoding takes, about, beside the samples; measured."""

    @property
    def value(self) -> float:
        """The setting's value."""

    @classmethod
    def parse(cls, value: object, data_range: float | None) -> Self | None:
        """The target of a setting's value; None: it is not asked for.

        Raises
        ------
        ConfigurationError
            It is no value of this setting.
        """

    @property
    def lossless(self) -> bool:
        """Whether chunks come back bit for bit."""

    @property
    def own_range(self) -> bool:
        """Whether it depends on the range of a chunk's own samples."""

    @property
    def largest_error(self) -> float | None:
        """What a sample may be off by in the mean, in the data's units; None: nobody knows before chunks are seen."""

    def budget(self, raw_bytes: int) -> int | None:
        """Bytes that a chunk of so many may take; None: as many as the bound needs."""

    def bound(self, low: float, high: float) -> Bound:
        """The bound on a chunk whose samples, the exact ones left out, are from `low` to `high`."""
