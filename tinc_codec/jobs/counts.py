"""How far a job is, for whoever asks."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of chunks that are done, and of all."""

Following = Callable[[int, int, int, int], None]
"""The same, and with the raw and the stored bytes of what this run wrote."""


class Counts:
    """Chunks of a job that are done."""

    def __init__(self, total: int, progress: Following) -> None:
        self.done = self.reused = 0
        self._raw = self._stored = 0
        self._total, self._progress = total, progress

    def finish(self, raw_bytes: int, stored_bytes: int) -> None:
        """Enter a chunk that this run wrote."""
        self.done += 1
        self._raw += raw_bytes
        self._stored += stored_bytes
        self._tell()

    def reuse(self, number: int) -> None:
        """Enter chunks that an earlier run wrote."""
        self.reused += number
        self._tell()

    def _tell(self) -> None:
        self._progress(self.done + self.reused, self._total, self._raw, self._stored)
