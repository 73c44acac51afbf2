"""tinc beside its peers on one crop, each within the same bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numcodecs import Blosc
from numpy.typing import NDArray

from tinc_codec.bench.attempts import Attempt, Isolation
from tinc_codec.bench.fidelity import Fidelity, Reference
from tinc_codec.bench.peers import VOLUMETRIC, Peer
from tinc_codec.bench.planes import JPEG2000, JPEGXL
from tinc_codec.bench.video import VIDEOS
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.warm_up import warm_up
from tinc_codec.runtime.documents import finite

PEERS: tuple[Peer, ...] = (*VOLUMETRIC, JPEG2000, JPEGXL, *VIDEOS)
"""Those that have a level; Blosc, which has none, comes beside them."""

BLOSC = "Blosc"
LOSSLESS = "lossless"


@dataclass(frozen=True)
class Goal:
    """What is asked for: a setting of `TINCCodec`, and what it is called."""

    option: str
    value: float
    label: str

    @classmethod
    def of(cls, option: str, value: float) -> Goal:
        """A setting and its value."""
        return cls(option, value, f"{option} {value:g}")

    def codec(self, effort: int) -> TINCCodec:
        """The codec at this goal."""
        return TINCCodec(**{self.option: self.value}, effort=effort)  # type: ignore[arg-type]

    def budget(self, raw_bytes: int, reached: int) -> float:
        """Bytes that peers may take: at a ratio what it leaves, else as many as tinc took."""
        return raw_bytes / self.value if self.option == "ratio" else reached


@dataclass(frozen=True, eq=False)
class Trial:
    """One codec at one goal.

    Parameters
    ----------
    goal
        The label of what was asked for.
    codec
        Its name, with the effort of tinc.
    stored_bytes, raw_bytes
        Sizes.
    encode_seconds, decode_seconds
        Of one run at the setting that was found; looking for it is not counted.
    fidelity
        What was kept.
    plane
        The middle plane, as it was decoded.
    """

    goal: str
    codec: str
    raw_bytes: int
    stored_bytes: int
    encode_seconds: float
    decode_seconds: float
    fidelity: Fidelity
    plane: NDArray[Any]

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / self.stored_bytes

    @property
    def ours(self) -> bool:
        """Whether it is tinc."""
        return self.codec.startswith("tinc")

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        names = ("goal", "codec", "raw_bytes", "stored_bytes", "ratio", "encode_seconds", "decode_seconds")
        return {**{name: finite(getattr(self, name)) for name in names}, **self.fidelity.as_json()}


@dataclass(frozen=True)
class LeftOut:
    """A peer that is not in the comparison at a goal, and why."""

    goal: str
    codec: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def compare(
    reference: Reference, goals: Sequence[Goal], efforts: Sequence[int], peers: Sequence[Peer] = PEERS
) -> Iterator[Trial | LeftOut]:
    """Every goal by tinc at several efforts, then by each peer at its finest level within the same bytes.

    Peers work in a process that is spawned, so that a script that calls this needs ``if __name__ == "__main__"``.
    """
    volume = reference.volume
    warm_up([goal.codec(effort) for goal in goals for effort in efforts], [volume])
    sizes: dict[str, dict[float, int]] = {peer.name: {} for peer in peers}
    with Isolation() as isolation:
        for goal in goals:
            ours = [_tinc(reference, goal, effort) for effort in efforts]
            yield from ours
            budget = goal.budget(volume.nbytes, ours[-1].stored_bytes)
            for peer in [peer for peer in peers if peer.name in sizes]:
                attempt = isolation.attempt(peer, volume, budget, sizes.pop(peer.name))
                yield _outcome(reference, goal, peer, budget, attempt)
                if not attempt.reason:  # else it is left out from here on
                    sizes[peer.name] = attempt.sizes
    yield _blosc(reference)


def middle_plane(volume: NDArray[Any]) -> NDArray[Any]:
    """The plane in the middle of the first axis; of fewer axes all there is, as two."""
    plane = volume if volume.ndim < 3 else volume[volume.shape[0] // 2]
    return np.atleast_2d(plane)


def _tinc(reference: Reference, goal: Goal, effort: int) -> Trial:
    codec, volume = goal.codec(effort), reference.volume
    start = time.perf_counter()
    stream = codec.encode(volume)
    middle = time.perf_counter()
    decoded = codec.decode(stream)
    end = time.perf_counter()
    return _trial(reference, goal.label, f"tinc, effort {effort}", len(stream), (middle - start, end - middle), decoded)


def _outcome(reference: Reference, goal: Goal, peer: Peer, budget: float, attempt: Attempt) -> Trial | LeftOut:
    """What a peer's attempt is in the comparison; a `LeftOut` without a goal where it will not do at any."""
    if attempt.reason:
        return LeftOut("", peer.name, attempt.reason)
    if attempt.decoded is None:
        least = min(attempt.sizes.values())
        return LeftOut(goal.label, peer.name, f"its coarsest takes {least:,} bytes, above {budget:,.0f}")
    decoded = attempt.decoded
    seconds = (decoded.encode_seconds, decoded.decode_seconds)
    return _trial(reference, goal.label, peer.name, decoded.size, seconds, decoded.samples)


def _blosc(reference: Reference) -> Trial:
    codec, volume = Blosc("zstd", 5, Blosc.SHUFFLE), reference.volume
    start = time.perf_counter()
    data = codec.encode(volume)
    middle = time.perf_counter()
    decoded = np.frombuffer(codec.decode(data), volume.dtype).reshape(volume.shape)
    end = time.perf_counter()
    return _trial(reference, LOSSLESS, BLOSC, len(data), (middle - start, end - middle), decoded)


def _trial(
    reference: Reference, goal: str, codec: str, size: int, seconds: tuple[float, float], decoded: NDArray[Any]
) -> Trial:
    fidelity = reference.compare(decoded)
    plane = middle_plane(decoded).copy()
    return Trial(goal, codec, reference.volume.nbytes, size, *seconds, fidelity, plane)
