"""How far a job is, for whoever asks."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of chunks that are done, and of all."""


class Counts:
    """Chunks of a job that are done."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.done = self.reused = 0
        self._total, self._progress = total, progress

    def finish(self, number: int) -> None:
        """Enter chunks that this run wrote."""
        self.done += number
        self._progress(self.done + self.reused, self._total)

    def reuse(self, number: int) -> None:
        """Enter chunks that an earlier run wrote."""
        self.reused += number
        self._progress(self.done + self.reused, self._total)
