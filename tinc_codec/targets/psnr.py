"""``psnr``: a peak signal-to-noise ratio that every chunk reaches, over its own range or over a given one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tinc_codec.errors import ConfigurationError
from tinc_codec.parsing import parse_number, shown
from tinc_codec.targets.protocol import Bound

_SMALLEST_RMSE = 1e-290
"""Among numbers as small as this, float64 itself rounds too much for a PSNR to have a meaning."""


@dataclass(frozen=True)
class Psnr:
    """dB, at least, of every chunk; see `Target`.

    Parameters
    ----------
    value
        In dB.
    data_range
        The peak, in the data's units; None: each chunk's own range.
    """

    value: float
    data_range: float | None = None

    option: ClassVar[str] = "psnr"
    bytes_per_voxel: ClassVar[int] = 190

    @classmethod
    def parse(cls, value: object, data_range: float | None) -> Self | None:
        """See `Target.parse`; it must be above 0."""
        if value is None:
            return None
        psnr = parse_number(cls.option, value)
        if psnr <= 0:
            raise ConfigurationError(f"psnr={shown(value)} must be above 0: it is in dB, as in 45")
        return cls(psnr, data_range)

    @property
    def lossless(self) -> bool:
        """Never."""
        return False

    @property
    def own_range(self) -> bool:
        """Where no range is given."""
        return self.data_range is None

    @property
    def largest_error(self) -> float | None:
        """Root mean square error, where it does not depend on the chunk."""
        return None if self.data_range is None else float(self.data_range * self._factor)

    def budget(self, raw_bytes: int) -> int | None:
        """As many bytes as it needs."""
        return None

    def bound(self, low: float, high: float) -> Bound:
        """The root mean square error over the range that counts."""
        half = high / 2 - low / 2 if self.data_range is None else self.data_range / 2  # the whole may be beyond float64
        rmse = 2 * (half * self._factor)
        return Bound(rmse=rmse if rmse > _SMALLEST_RMSE else 0.0, asked=f"{self.value} dB")

    @property
    def _factor(self) -> float:
        return float(10 ** (-self.value / 20))
