"""Settings of a codec, which are stored with the array."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from reprlib import Repr
from typing import Any, Literal

import numpy as np

from tinc_codec.errors import ConfigurationError

INTER_LEVEL = ("auto", "shallow", "even", "deep")
INTRA_LEVEL = ("auto", "equal", "variance", "importance")
EFFORTS = range(1, 10)
LARGEST_LEVELS = 16
log = logging.getLogger("tinc_codec")
TARGETS = ("ratio", "psnr", "max_error")
"""What may be asked of every chunk; one of them is."""
DEFAULT_RATIO = 64.0

MOST_EXACT_VALUES = 1024
"""Each is looked for in all samples of a chunk."""

JSON = dict[str, Any]

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shown(value: object) -> str:
    """A value in an error: its beginning, where it is long."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python spells out no numbers of thousands of digits
        return "a number of thousands of digits"


def unknown(field: str, value: object, known: Iterable[str]) -> ConfigurationError:
    """The error that names what is known."""
    return ConfigurationError(f"{field}={shown(value)} is not known; known are {', '.join(map(repr, known))}")


def _number(field: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and _finite(value):
        return float(value)
    raise ConfigurationError(f"{field}={shown(value)} is not a finite number")


def _finite(number: float) -> bool:
    """Whether a float holds a number, an int too."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def parse_ratio(value: object) -> float | None:
    """Parse `ratio`: raw bytes over stored bytes, above 1."""
    if value is None:
        return None
    ratio = _number("ratio", value)
    if ratio <= 1:
        raise ConfigurationError(f"ratio={shown(value)} must be above 1: it is raw bytes over stored bytes, as in 64")
    return ratio


def parse_psnr(value: object) -> float | None:
    """Parse `psnr`: dB, at least, of every chunk; above 0."""
    if value is None:
        return None
    psnr = _number("psnr", value)
    if psnr <= 0:
        raise ConfigurationError(f"psnr={shown(value)} must be above 0: it is in dB, as in 45")
    return psnr


def parse_max_error(value: object) -> float | None:
    """Parse `max_error`: the largest absolute error, in the data's units; 0 is lossless."""
    if value is None:
        return None
    error = _number("max_error", value)
    if error < 0:
        raise ConfigurationError(
            f"max_error={shown(value)} must not be negative: it is in the data's units, 0 is lossless"
        )
    return error


def parse_data_range(value: object) -> float | None:
    """Parse `data_range`: what `psnr` refers to, above 0."""
    if value is None:
        return None
    data_range = _number("data_range", value)
    if data_range <= 0:
        raise ConfigurationError(f"data_range={shown(value)} must be above 0: it is the peak that psnr refers to")
    return data_range


def parse_exact_values(value: object) -> tuple[float, ...]:
    """Parse `exact_values`: a number or several; NaN and infinities are always exact, and left out here."""
    if isinstance(value, int | float | np.number):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ConfigurationError(f"exact_values={shown(value)} must be a number or a list of numbers")
    if len(value) > MOST_EXACT_VALUES:
        raise ConfigurationError(
            f"exact_values has {len(value)} numbers, where at most {MOST_EXACT_VALUES} are looked for: "
            "with max_error=0 all values come back exactly"
        )
    numbers = [number.item() if isinstance(number, np.number) else number for number in value]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ConfigurationError(f"exact_values={shown(value)}: {shown(number)} is not a number")
        if isinstance(number, int) and not _finite(number):
            raise ConfigurationError(f"exact_values={shown(value)}: {shown(number)} is beyond all samples")
    return tuple(dict.fromkeys(number for number in numbers if math.isfinite(number)))


def parse_levels(value: object) -> int | Literal["auto"]:
    """Parse `levels`: ``"auto"`` or the number of levels of the tree."""
    if isinstance(value, str):
        if value == "auto":
            return "auto"
        raise unknown("levels", value, ["auto", "an int from 1"])
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_LEVELS:
        raise ConfigurationError(f"levels={shown(value)} must be 'auto' or an int from 1 to {LARGEST_LEVELS}")
    return value


def parse_inter_level(value: object) -> str | tuple[float, ...]:
    """Parse `inter_level`: a name or each level's share of the budget, root first."""
    if isinstance(value, str):
        if value not in INTER_LEVEL:
            raise unknown("inter_level", value, INTER_LEVEL)
        return value
    if not isinstance(value, list | tuple) or not value:
        raise ConfigurationError(f"inter_level={shown(value)} must be one of {INTER_LEVEL} or a share for each level")
    if len(value) > LARGEST_LEVELS:
        raise ConfigurationError(f"inter_level={shown(value)} has {len(value)} shares: at most {LARGEST_LEVELS}")
    shares = tuple(_number("inter_level", share) for share in value)
    if min(shares) <= 0:
        raise ConfigurationError(f"inter_level={shown(value)}: every level's share must be above 0")
    return shares


def parse_intra_level(value: object) -> str:
    """Parse `intra_level`: how a level's share is divided between its nodes."""
    if not isinstance(value, str) or value not in INTRA_LEVEL:
        raise unknown("intra_level", value, INTRA_LEVEL)
    return value


def parse_threshold(value: object) -> float | None:
    """Parse `threshold`: intensity above which a voxel is important; None: Otsu's threshold of each chunk."""
    return None if value is None else _number("threshold", value)


def parse_tolerance(value: object) -> float:
    """Parse `constant_tolerance`: a fraction of the chunk's range."""
    tolerance = _number("constant_tolerance", value)
    if not 0 <= tolerance < 1:
        raise ConfigurationError(
            f"constant_tolerance={shown(value)} must be a fraction of the range, from 0 to below 1"
        )
    return tolerance


def integer(field: str, value: object, low: int, high: int) -> int:
    """Parse a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigurationError(f"{field}={shown(value)} must be an int from {low} to {high}")
    return value


@dataclass(frozen=True)
class Config:
    """How chunks are compressed. Reading does not depend on any of it.

    Parameters
    ----------
    ratio
        Raw bytes over stored bytes, at least, for every chunk. At most one of `ratio`, `psnr` and `max_error` is
        given; where none is, `ratio` is 64.
    psnr
        dB, at least, of every chunk.
    max_error
        Largest absolute error of any voxel, in the data's units; 0 is lossless, for floats bit for bit.
    data_range
        The peak that `psnr` refers to, in the data's units. None: each chunk's own range.
    exact_values
        Values that come back exactly, such as a background or a ``_FillValue``; NaN and infinities always do.
    levels
        Number of levels of the tree (cross-level allocation), ``"auto"`` from shape and budget.
    inter_level
        Division of the budget between levels: ``"shallow"``, ``"even"``, ``"deep"``, a share for each level (root
        first), or ``"auto"`` by how similar distant blocks are.
    intra_level
        Division of a level's budget between its nodes: ``"equal"``, ``"variance"`` of their blocks, ``"importance"``
        (share of voxels above `threshold`), or ``"auto"``.
    threshold
        Intensity, in the data's units, above which a voxel is important. None: Otsu's threshold of each chunk.
    constant_tolerance
        Blocks that vary by at most this fraction of the chunk's range are stored as a constant.
    effort
        1 (seconds for 64^3) to 9; scales the number of training steps.
    seed
        Seed of the weights and of the sampling.
    """

    ratio: float | None = None
    psnr: float | None = None
    max_error: float | None = None
    data_range: float | None = None
    exact_values: tuple[float, ...] = ()
    levels: int | Literal["auto"] = "auto"
    inter_level: str | tuple[float, ...] = "auto"
    intra_level: str = "auto"
    threshold: float | None = None
    constant_tolerance: float = 1 / 512
    effort: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        parsed = {
            "ratio": parse_ratio(self.ratio),
            "psnr": parse_psnr(self.psnr),
            "max_error": parse_max_error(self.max_error),
            "data_range": parse_data_range(self.data_range),
            "exact_values": parse_exact_values(self.exact_values),
            "levels": parse_levels(self.levels),
            "inter_level": parse_inter_level(self.inter_level),
            "intra_level": parse_intra_level(self.intra_level),
            "threshold": parse_threshold(self.threshold),
            "constant_tolerance": parse_tolerance(self.constant_tolerance),
            "effort": integer("effort", self.effort, EFFORTS.start, EFFORTS.stop - 1),
            "seed": integer("seed", self.seed, 0, 2**63 - 1),
        }
        for name, value in parsed.items():
            object.__setattr__(self, name, value)
        self._check_targets()
        explicit = isinstance(self.inter_level, tuple)
        if explicit and self.levels != len(self.inter_level):
            raise ConfigurationError(
                f"inter_level gives {len(self.inter_level)} shares but levels={self.levels!r}: set levels to as many"
            )

    def _check_targets(self) -> None:
        targets = {name: getattr(self, name) for name in TARGETS}
        given = [f"{name}={value!r}" for name, value in targets.items() if value is not None]
        if len(given) > 1:
            raise ConfigurationError(f"{' and '.join(given)} are given: give one of {', '.join(TARGETS)}")
        if not given:
            object.__setattr__(self, "ratio", DEFAULT_RATIO)
        if self.data_range is not None and self.psnr is None:
            raise ConfigurationError(f"data_range={self.data_range!r} has a meaning only beside psnr")

    def to_json(self) -> JSON:
        """As a JSON object; `from_json` gives it back."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Config:
        """Read stored settings: reading does not depend on them, so that none makes an array unreadable.

        Returns
        -------
        Config
            A `LaterConfig`, with a warning, where they are not settings of this version.

        Raises
        ------
        ConfigurationError
            `data` is not a JSON object.
        """
        if not isinstance(data, Mapping):
            raise ConfigurationError(f"the stored configuration is {shown(data)}, where a JSON object should be")
        known = {field.name for field in fields(Config)}
        later = {key: value for key, value in data.items() if key not in known and key != "id" and value is not None}
        try:
            config = Config(**{key: value for key, value in data.items() if key in known})
            if not later:
                return config
            reason = f"its settings {', '.join(map(shown, later))} are not known"
        except ConfigurationError as error:
            reason = str(error)
        config = LaterConfig.of({key: value for key, value in data.items() if key != "id"}, reason)
        log.warning("settings of a later tinc-codec: the array is read, but not written, since %s", reason)
        return config

    def check_writable(self) -> None:
        """Raise `ConfigurationError` where chunks cannot be written with these settings."""


@dataclass(frozen=True)
class LaterConfig(Config):
    """Stored settings that this version does not know: chunks are read without regard to them, and not written.

    Parameters
    ----------
    stored
        As JSON, in one spelling.
    reason
        Why they are not those of this version.
    """

    stored: str = "{}"
    reason: str = ""

    @classmethod
    def of(cls, data: JSON, reason: str) -> LaterConfig:
        """Settings as they were stored."""
        try:
            return cls(stored=json.dumps(data, sort_keys=True), reason=reason)
        except (TypeError, ValueError, RecursionError) as error:  # not from JSON
            raise ConfigurationError(reason) from error

    def to_json(self) -> JSON:
        """As they were stored."""
        data: JSON = json.loads(self.stored)
        return data

    def check_writable(self) -> None:
        """Raise `ConfigurationError`, with the reason."""
        raise ConfigurationError(
            f"chunks cannot be written with the array's settings, which a later tinc-codec may have stored: "
            f"{self.reason}; install a newer tinc-codec, or write into a new array"
        )
