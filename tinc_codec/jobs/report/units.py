"""Bytes and seconds for people."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


_ROUNDED = 999.5
"""What three digits have no room for."""


def size(number: float) -> str:
    """Bytes for people, in powers of 1000, with three digits."""
    for unit in _UNITS[:-1]:
        if number < _ROUNDED:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} {_UNITS[-1]}" if number < _ROUNDED else f"{number:,.0f} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """Seconds for people."""
    for limit, unit in ((60, "s"), (3600, "min"), (86400 * 2, "h")):
        if seconds < limit:
            return f"{seconds * 60 / limit if unit != 'h' else seconds / 3600:.1f} {unit}"
    return f"{seconds / 86400:.1f} days"
