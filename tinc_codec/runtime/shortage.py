"""How often a device's memory did not hold what was asked of it, and what was done then; counted for reports."""

from __future__ import annotations

from collections import Counter, deque

HALVED, ON_CPU = "halved", "on_cpu"
"""Kinds: a batch of trainings was cut in halves; a chunk was worked on by the CPU."""

_noted: deque[str] = deque()  # of any thread; taking from it needs no lock, which a fork might leave locked


def note(kind: str) -> None:
    """Count one."""
    _noted.append(kind)


def taken() -> dict[str, int]:
    """How many of each kind there were in this process since the last call."""
    kinds: Counter[str] = Counter()
    while _noted:
        try:
            kinds[_noted.popleft()] += 1
        except IndexError:  # another thread was faster
            break
    return dict(kinds)
