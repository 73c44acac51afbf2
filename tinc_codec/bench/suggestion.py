"""Which setting suits data: what each of them keeps on a few samples, at what size and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.bench.comparison import Goal
from tinc_codec.bench.data import Image, choose_samples, read_crop, shown
from tinc_codec.bench.fidelity import Reference
from tinc_codec.bench.objects import Kept, Overlap
from tinc_codec.hosts.warm_up import warm_up
from tinc_codec.noise_level import noise
from tinc_codec.runtime.documents import finite

VOXELS = 96**3
"""Of a sample, at most."""

RATIOS = (16.0, 64.0)
NOISES = (1.0, 2.0, 4.0)
PSNR = 45.0

_ENOUGH = 0.98
"""F1 of blobs, and Dice of segments, from which on little is lost that anyone counts."""

_BIAS = 1.0
"""Per cent of brightness that objects may gain or lose."""


@dataclass(frozen=True)
class Outcome:
    """What became of some samples together.

    Parameters
    ----------
    psnr
        dB over the range of all; infinite where nothing was lost.
    max_error
        The largest, in the data's units.
    blobs, segmented, brightness_bias
        See `tinc_codec.bench.fidelity.Fidelity`; the bias is the one farthest from 0.
    """

    psnr: float
    max_error: float
    blobs: Kept
    segmented: Overlap
    brightness_bias: float

    @classmethod
    def of(cls, references: Sequence[Reference], decoded: Sequence[NDArray[Any]]) -> Self:
        """Compare samples with their originals."""
        volumes = [reference.volume for reference in references]
        kept = [reference.compare(samples) for reference, samples in zip(references, decoded, strict=True)]
        squares = (metrics.rmse(a, b) ** 2 * a.size for a, b in zip(volumes, decoded, strict=True))
        span = max(float(v.max()) for v in volumes) - min(float(v.min()) for v in volumes)
        biases = [fidelity.brightness_bias for fidelity in kept if not math.isnan(fidelity.brightness_bias)]
        return cls(
            metrics.psnr_of(math.sqrt(sum(squares) / sum(volume.size for volume in volumes)), span),
            max(fidelity.max_error for fidelity in kept),
            sum((fidelity.blobs for fidelity in kept), Kept(0, 0, 0)),
            sum((fidelity.segmented for fidelity in kept), Overlap(0, 0, 0)),
            max(biases, key=abs, default=math.nan),
        )

    def keeps(self, exposure: Outcome) -> bool:
        """Whether blobs, segments and brightness stay: nearly all, or as many as in another exposure."""
        pairs = ((self.blobs.f1, exposure.blobs.f1), (self.segmented.dice, exposure.segmented.dice))
        shares = [share >= min(_ENOUGH, other) for share, other in pairs if not math.isnan(share + other)]
        bias = 0.0 if math.isnan(self.brightness_bias) else abs(self.brightness_bias)
        return all(shares) and bias <= _BIAS

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "f1": self.blobs.f1, "dice": self.segmented.dice}


@dataclass(frozen=True)
class Option:
    """One setting and what it does to the samples.

    Parameters
    ----------
    goal
        The setting of `TINCCodec`.
    raw_bytes, stored_bytes
        Of the samples.
    encode_seconds, decode_seconds
        For them.
    outcome
        What it keeps.
    """

    goal: Goal
    raw_bytes: int
    stored_bytes: int
    encode_seconds: float
    decode_seconds: float
    outcome: Outcome

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / self.stored_bytes

    @property
    def bounded(self) -> bool:
        """Whether it bounds the error of every voxel, and allows one."""
        return self.goal.option == "max_error" and self.goal.value > 0

    @property
    def kept(self) -> str:
        """What it keeps, in words."""
        outcome = self.outcome
        if outcome.max_error == 0:
            return "everything"
        words = [f"errors of at most {outcome.max_error:.4g}{'' if self.bounded else ' in these samples'}"]
        if not math.isnan(outcome.blobs.f1):
            words.append(f"{outcome.blobs.f1:.1%} of blobs (F1)")
        if not math.isnan(outcome.segmented.dice):
            words.append(f"{outcome.segmented.dice:.1%} of the segmented volume (Dice)")
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        names = ("raw_bytes", "stored_bytes", "ratio", "encode_seconds", "decode_seconds")
        measured = {name: getattr(self, name) for name in names}
        return {"setting": self.goal.option, "value": self.goal.value, **measured, **self.outcome.as_json()}


@dataclass(frozen=True, eq=False)
class Suggestion:
    """Settings for an array.

    Parameters
    ----------
    image, shape, dtype
        What was looked at.
    samples
        Which parts of it.
    noise
        Deviation of its noise: the median of the samples.
    effort
        Of every setting.
    exposure
        The samples with as much noise again, as another exposure would have it: what blobs and segments are worth.
    options
        Settings, from the smallest ratio to the one that loses nothing, each with what it keeps.
    """

    image: Image
    samples: tuple[str, ...]
    noise: float
    effort: int
    exposure: Outcome
    options: tuple[Option, ...]

    @property
    def raw_bytes(self) -> int:
        """Of the whole array."""
        return math.prod(self.image.reader.shape) * self.image.reader.dtype.itemsize

    @property
    def recommended(self) -> Option:
        """The setting to take where the data are the only copy; see `reason`."""
        lossless = self.options[-1]
        if self.image.exact is not None or not self.noise:
            return lossless
        bounds = [option for option in self.options if option.bounded and option.outcome.keeps(self.exposure)]
        return min(bounds, key=lambda option: option.stored_bytes, default=lossless)

    @property
    def reason(self) -> str:
        """Why that one."""
        if self.image.exact is not None:
            return f"this array should stay exact: {self.image.exact}"
        if not self.noise:
            return "no noise was measured, as in labels, masks and renderings, so that every bit may mean something"
        kept = f"{_ENOUGH:.0%} of blobs and segments, or as many as another exposure, and brightness within {_BIAS:g} %"
        if self.recommended.bounded:
            return f"the smallest that keeps {kept}; no voxel is off by more, wherever it is"
        return f"no bound up to {max(NOISES):g} x noise keeps {kept}"

    @property
    def preview(self) -> Option:
        """The setting for copies that are only looked at."""
        ratios = [option for option in self.options if option.goal.option == "ratio"]
        return min(ratios, key=lambda option: option.stored_bytes)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        chosen = self.recommended
        document: dict[str, Any] = finite(
            {
                "data": self.image.name,
                "shape": list(self.image.reader.shape),
                "dtype": str(self.image.reader.dtype),
                "raw_bytes": self.raw_bytes,
                "samples": list(self.samples),
                "noise": self.noise,
                "effort": self.effort,
                "another_exposure": self.exposure.as_json(),
                "options": [option.as_json() for option in self.options],
                "recommended": {"setting": chosen.goal.option, "value": chosen.goal.value, "reason": self.reason},
            }
        )
        return document


def suggest(image: Image, effort: int, follow: Callable[[str], None], voxels: int = VOXELS) -> Suggestion:
    """Measure noise on a few samples of an image, and try settings on them.

    Parameters
    ----------
    image
        From `tinc_codec.bench.data.open_image`.
    effort
        Of every setting.
    follow
        Called with what is being tried.
    voxels
        Of a sample, at most.

    Raises
    ------
    ConfigurationError
        A sample has no finite number.
    """
    places = choose_samples(image, voxels)
    volumes = [read_crop(image, place)[0] for place in places]
    deviations = [noise(volume) for volume in volumes]
    deviation = float(np.median([d for d in deviations if d] or [0.0]))
    references = [Reference.of(volume, deviation) for volume in volumes]
    goals = list(_goals(deviation))
    warm_up([goal.codec(effort) for goal in goals], volumes)
    options = []
    for goal in goals:
        follow(goal.label)
        options.append(_option(goal, effort, references))
    exposure = Outcome.of(references, [reference.exposed_again() for reference in references])
    return Suggestion(image, tuple(map(shown, places)), deviation, effort, exposure, tuple(options))


def _goals(deviation: float) -> Iterator[Goal]:
    yield from (Goal.of("ratio", ratio) for ratio in sorted(RATIOS, reverse=True))
    yield Goal.of("psnr", PSNR)
    for times in sorted(NOISES, reverse=True) if deviation else ():
        value = _rounded(times * deviation)
        yield Goal("max_error", value, f"max_error {value:g} ({times:g} x noise)")
    yield Goal("max_error", 0.0, "lossless")


def _rounded(value: float) -> float:
    """To three digits: as it is printed, so that it can be typed."""
    return float(f"{value:.3g}")


def _option(goal: Goal, effort: int, references: Sequence[Reference]) -> Option:
    codec, volumes = goal.codec(effort), [reference.volume for reference in references]
    start = time.perf_counter()
    streams = [codec.encode(volume) for volume in volumes]
    middle = time.perf_counter()
    decoded = [codec.decode(stream) for stream in streams]
    end = time.perf_counter()
    sizes = (sum(volume.nbytes for volume in volumes), sum(map(len, streams)))
    return Option(goal, *sizes, middle - start, end - middle, Outcome.of(references, decoded))
