"""How much of a machine a server takes."""

from __future__ import annotations

from dataclasses import dataclass

from tinc_codec.parsing import integer
from tinc_codec.runtime.settings import cores, process


@dataclass(frozen=True)
class Limits:
    """Bounds on memory and work.

    Parameters
    ----------
    cache
        Bytes of chunks as they are served that are kept.
    chunk
        Bytes of the largest chunk that is decoded, and of the largest object that is sent at once.
    requests
        Most requests that wait or are being answered.
    outgoing
        Bytes of answers that clients have not taken yet, all together.
    """

    cache: int = 2**28
    chunk: int = 2**28
    requests: int = 1024
    outgoing: int = 2**29

    def __post_init__(self) -> None:
        integer("cache", self.cache, 0, 2**63)
        integer("chunk", self.chunk, 1, 2**31 - 1)  # Blosc takes no more
        integer("requests", self.requests, 1, 2**20)
        integer("outgoing", self.outgoing, 1, 2**63)

    @property
    def decoding(self) -> int:
        """Requests that are worked on at a time."""
        return process().threads or cores()
