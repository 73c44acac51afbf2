"""What is derived from streams and kept for further reads, bounded in bytes: one store for the process, as a rule.

The process's setting `cache` is the most that all of it may weigh; what was used least recently goes first. With 0
nothing is kept.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from tinc_codec.runtime.settings import process

P = ParamSpec("P")
T = TypeVar("T")

ENTRY = 512
"""Bytes that an entry takes beside what it holds, about."""


class Kept:
    """Values by their keys, each with its weight in bytes.

    Parameters
    ----------
    limit
        Says how much all of it may weigh.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._total = 0
        self.lock = Lock()
        """Held while entries change: a process may fork in a thread meanwhile."""

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Hashable) -> Any:
        """The value of a key; None: there is none."""
        with self.lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def keep(self, key: Hashable, value: Any, weight: int) -> None:
        """Keep a value, or weigh it again."""
        limit, weight = self._limit(), weight + ENTRY
        with self.lock:
            self._remove(key)
            if weight <= limit:
                self._entries[key] = value, weight
                self._total += weight
            while self._total > limit:
                self._remove(next(iter(self._entries)))

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._total -= entry[1]

    def clear(self) -> None:
        """Forget all."""
        with self.lock:
            self._entries.clear()
            self._total = 0

    def renew(self) -> None:
        """Forget all, and the lock, which a thread may have held that did not come along with a fork."""
        self.__init__(self._limit)  # type: ignore[misc]

    @property
    def nbytes(self) -> int:
        """What all of it weighs."""
        return self._total

    def count(self, kind: type) -> int:
        """Number of entries whose keys are of a kind."""
        with self.lock:
            return sum(isinstance(key, kind) for key in self._entries)


kept = Kept(lambda: process().cache)
"""The process's."""


def keeping(weight: Callable[[Any], int]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep a pure function's answers, by its positional arguments; `weight` says what one takes, in bytes."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def remembering(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (function, *args)
            answer: T | None = kept.find(key)
            if answer is None:
                answer = function(*args, **kwargs)
                kept.keep(key, answer, weight(answer))
            return answer

        return remembering

    return decorate


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=kept.renew)
