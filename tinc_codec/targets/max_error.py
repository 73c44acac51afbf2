"""``max_error``: no sample is off by more; 0 is lossless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tinc_codec.errors import ConfigurationError
from tinc_codec.parsing import parse_number, shown
from tinc_codec.targets.protocol import Bound


@dataclass(frozen=True)
class MaxError:
    """Largest absolute error of any sample, in the data's units; see `Target`."""

    value: float

    option: ClassVar[str] = "max_error"
    bytes_per_voxel: ClassVar[int] = 160

    @classmethod
    def parse(cls, value: object, data_range: float | None) -> Self | None:
        """See `Target.parse`; it must not be negative."""
        if value is None:
            return None
        if isinstance(value, str):  # as in "2sigma", which is another number for every array
            raise ConfigurationError(
                f"max_error={shown(value)} is not a number: give one in the data's units, as in max_error=2 * "
                "tinc_codec.noise(array), which `tinc suggest` measures too"
            )
        error = parse_number(cls.option, value)
        if error < 0:
            raise ConfigurationError(
                f"max_error={shown(value)} must not be negative: it is in the data's units, 0 is lossless"
            )
        return cls(error)

    @property
    def lossless(self) -> bool:
        """At 0, for floats bit for bit."""
        return self.value == 0

    @property
    def own_range(self) -> bool:
        """Never."""
        return False

    @property
    def largest_error(self) -> float | None:
        """The value."""
        return self.value

    def budget(self, raw_bytes: int) -> int | None:
        """As many bytes as it needs."""
        return None

    def bound(self, low: float, high: float) -> Bound:
        """The value, whatever the samples are."""
        return Bound(max_error=self.value)
