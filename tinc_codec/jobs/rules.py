"""How a job goes about its chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinc_codec.errors import ConfigurationError

OnError = Literal["lossless", "skip", "raise"]
ON_ERROR = ("lossless", "skip", "raise")


@dataclass(frozen=True)
class Rules:
    """How chunks are done, and what becomes of what was there before.

    Parameters
    ----------
    retries
        How often a chunk that fails is tried again.
    verify
        Whether each chunk is read back and compared.
    on_error
        What becomes of a chunk that fails all the same.
    resume
        Whether what an earlier run did is kept.
    keep_original
        In place: whether the original is kept.

    Raises
    ------
    ConfigurationError
        There is no such rule.
    """

    retries: int = 2
    verify: bool = True
    on_error: OnError = "lossless"
    resume: bool = True
    keep_original: bool = False

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise ConfigurationError(f"on_error={self.on_error!r} is not known; known are {', '.join(ON_ERROR)}")
        if isinstance(self.retries, bool) or not isinstance(self.retries, int) or self.retries < 0:
            raise ConfigurationError(f"retries={self.retries!r} must be a whole number from 0")
