"""What an export to OME-TIFF wrote."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinc_codec.jobs.report.units import duration, size


@dataclass(frozen=True)
class TiffReport:
    """One file.

    Parameters
    ----------
    source, destination
        As they were given.
    shape, dtype, axes
        Of the image.
    raw_bytes, stored_bytes
        Of its samples, and of the file.
    seconds
        That it took.
    """

    source: str
    destination: str
    shape: tuple[int, ...]
    dtype: str
    axes: str
    raw_bytes: int
    stored_bytes: int
    seconds: float

    @property
    def line(self) -> str:
        """For people."""
        image = f"{self.axes} {'x'.join(map(str, self.shape))} {self.dtype}"
        speed = f"{duration(self.seconds)} ({size(self.raw_bytes / max(self.seconds, 1e-9))}/s of raw data)"
        sizes = f"{size(self.raw_bytes)} in {size(self.stored_bytes)}"
        return f"{self.source} -> {self.destination}: {image}, {sizes}, decoded and written in {speed}"

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)
