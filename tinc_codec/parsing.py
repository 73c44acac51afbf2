"""Single settings: what they may be, and what is wrong with those that are not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from reprlib import Repr
from typing import Literal

import numpy as np

from tinc_codec.errors import ConfigurationError

INTER_LEVEL = ("auto", "shallow", "even", "deep")
INTRA_LEVEL = ("auto", "equal", "variance", "importance")
EFFORTS = range(1, 10)
LARGEST_LEVELS = 16
MOST_EXACT_VALUES = 1024
"""Each is looked for in all samples of a chunk."""

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


def parse_number(field: str, value: object) -> float:
    """Parse a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and _finite(value):
        return float(value)
    raise ConfigurationError(f"{field}={shown(value)} is not a finite number")


def _finite(number: float) -> bool:
    """Whether a float holds a number, an int too."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def parse_data_range(value: object) -> float | None:
    """Parse `data_range`: what `psnr` refers to, above 0."""
    if value is None:
        return None
    data_range = parse_number("data_range", value)
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
    shares = tuple(parse_number("inter_level", share) for share in value)
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
    return None if value is None else parse_number("threshold", value)


def parse_tolerance(value: object) -> float:
    """Parse `constant_tolerance`: a fraction of the chunk's range."""
    tolerance = parse_number("constant_tolerance", value)
    if not 0 <= tolerance < 1:
        raise ConfigurationError(
            f"constant_tolerance={shown(value)} must be a fraction of the range, from 0 to below 1"
        )
    return tolerance


def parse_share(value: object) -> float | Literal["auto"]:
    """Parse `network_share`: ``"auto"`` or a part of the bytes, from 0 to 1."""
    if isinstance(value, str):
        if value == "auto":
            return "auto"
        raise unknown("network_share", value, ["auto", "a number from 0 to 1"])
    share = parse_number("network_share", value)
    if not 0 <= share <= 1:
        raise ConfigurationError(f"network_share={shown(value)} must be 'auto' or a part of the bytes, from 0 to 1")
    return share


def integer(field: str, value: object, low: int, high: int) -> int:
    """Parse a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigurationError(f"{field}={shown(value)} must be an int from {low} to {high}")
    return value
