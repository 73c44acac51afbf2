"""``ratio``: every chunk takes at most its raw bytes over a number, and is as good as that allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

from tinc_codec.errors import ConfigurationError
from tinc_codec.parsing import parse_number, shown
from tinc_codec.targets.protocol import Bound


@dataclass(frozen=True)
class Ratio:
    """Raw bytes over stored bytes, at least; see `Target`."""

    value: float

    option: ClassVar[str] = "ratio"
    bytes_per_voxel: ClassVar[int] = 90

    @classmethod
    def parse(cls, value: object, data_range: float | None) -> Self | None:
        """See `Target.parse`; it must be above 1."""
        if value is None:
            return None
        ratio = parse_number(cls.option, value)
        if ratio <= 1:
            raise ConfigurationError(
                f"ratio={shown(value)} must be above 1: it is raw bytes over stored bytes, as in 64"
            )
        return cls(ratio)

    @property
    def lossless(self) -> bool:
        """Never."""
        return False

    @property
    def own_range(self) -> bool:
        """Never."""
        return False

    @property
    def largest_error(self) -> float | None:
        """None: errors are what the bytes allow."""
        return None

    def budget(self, raw_bytes: int) -> int | None:
        """Raw bytes over the ratio."""
        return math.floor(raw_bytes / self.value)

    def bound(self, low: float, high: float) -> Bound:
        """Nothing is asked of errors."""
        return Bound()
