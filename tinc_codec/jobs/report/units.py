"""Bytes and seconds for people."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(number: float) -> str:
    """Bytes for people, in powers of 1000."""
    for unit in _UNITS[:-1]:
        if number < 1000:
            return f"{number:.3g} {unit}" if unit != "B" else f"{number:.0f} B"
        number /= 1000
    return f"{number:,.3g} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """Seconds for people."""
    for limit, unit in ((60, "s"), (3600, "min"), (86400 * 2, "h")):
        if seconds < limit:
            return f"{seconds * 60 / limit if unit != 'h' else seconds / 3600:.1f} {unit}"
    return f"{seconds / 86400:.1f} days"
