"""Which setting suits data: what each of them keeps on a few samples, at what size and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinc_codec import metrics
from tinc_codec.bench.comparison import Goal
from tinc_codec.bench.data import Image, choose_samples, read_crop, shown
from tinc_codec.bench.fidelity import Fidelity, Reference
from tinc_codec.bench.objects import Kept, Overlap
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
class Option:
    """One setting and what it does to the samples together.

    Parameters
    ----------
    setting, value
        Of `TINCCodec`.
    label
        For people.
    raw_bytes, stored_bytes
        Of the samples.
    encode_seconds, decode_seconds
        For them.
    psnr
        dB over the range of all; infinite where nothing was lost.
    max_error
        The largest, in the data's units.
    blobs, segmented, brightness_bias
        See `tinc_codec.bench.fidelity.Fidelity`; the bias is the one farthest from 0.
    """

    setting: str
    value: float
    label: str
    raw_bytes: int
    stored_bytes: int
    encode_seconds: float
    decode_seconds: float
    psnr: float
    max_error: float
    blobs: Kept
    segmented: Overlap
    brightness_bias: float

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / self.stored_bytes

    @property
    def keeps(self) -> bool:
        """Whether blobs, segments and brightness stay, as far as there are any."""
        shares = [share for share in (self.blobs.f1, self.segmented.dice) if not math.isnan(share)]
        bias = 0.0 if math.isnan(self.brightness_bias) else abs(self.brightness_bias)
        return all(share >= _ENOUGH for share in shares) and bias <= _BIAS

    @property
    def kept(self) -> str:
        """What it keeps, in words."""
        if self.max_error == 0:
            return "everything"
        words = [
            f"errors of at most {self.max_error:.4g}" + ("" if self.setting == "max_error" else " in these samples")
        ]
        if not math.isnan(self.blobs.f1):
            words.append(f"{self.blobs.f1:.1%} of blobs (F1)")
        if not math.isnan(self.segmented.dice):
            words.append(f"{self.segmented.dice:.1%} of the segmented volume (Dice)")
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        more = {"ratio": self.ratio, "f1": self.blobs.f1, "dice": self.segmented.dice, "keeps": self.keeps}
        document: dict[str, Any] = finite({**asdict(self), **more})
        return document


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
    options
        From the smallest setting to the one that loses nothing, each with what it keeps.
    """

    image: Image
    samples: tuple[str, ...]
    noise: float
    effort: int
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
        bounds = [option for option in self.options if option.setting == "max_error" and option.keeps]
        return min(bounds, key=lambda option: option.stored_bytes, default=lossless)

    @property
    def reason(self) -> str:
        """Why that one."""
        option = self.recommended
        if self.image.exact is not None:
            return f"this array should stay exact: {self.image.exact}"
        if not self.noise:
            return "no noise was measured, as in labels, masks and renderings, so that every bit may mean something"
        if option.setting == "max_error" and option.value:
            return (
                f"the smallest bound that keeps {_ENOUGH:.0%} of blobs and segments, and brightness within {_BIAS:g} "
                "%; no voxel is off by more, wherever it is"
            )
        return f"no bound up to {max(NOISES):g} x noise keeps {_ENOUGH:.0%} of blobs and segments"

    @property
    def preview(self) -> Option:
        """The setting for copies that are only looked at."""
        ratios = [option for option in self.options if option.setting == "ratio"]
        return min(ratios, key=lambda option: option.stored_bytes)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "data": self.image.name,
            "shape": list(self.image.reader.shape),
            "dtype": str(self.image.reader.dtype),
            "raw_bytes": self.raw_bytes,
            "samples": list(self.samples),
            "noise": self.noise,
            "effort": self.effort,
            "options": [option.as_json() for option in self.options],
            "recommended": {
                "setting": self.recommended.setting,
                "value": self.recommended.value,
                "reason": self.reason,
            },
        }


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
    codec = goals[0].codec(effort)
    codec.decode(codec.encode(volumes[0]))  # code is compiled before time is taken
    options = []
    for goal in goals:
        follow(goal.label)
        options.append(_option(goal, effort, references))
    return Suggestion(image, tuple(map(shown, places)), deviation, effort, tuple(options))


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
    codec, stored, encoding, decoding, squares = goal.codec(effort), 0, 0.0, 0.0, 0.0
    kept: list[Fidelity] = []
    for reference in references:
        start = time.perf_counter()
        stream = codec.encode(reference.volume)
        middle = time.perf_counter()
        decoded = codec.decode(stream)
        encoding, decoding = encoding + middle - start, decoding + time.perf_counter() - middle
        stored += len(stream)
        squares += metrics.rmse(reference.volume, decoded) ** 2 * reference.volume.size
        kept.append(reference.compare(decoded))
    volumes = [reference.volume for reference in references]
    span = max(float(v.max()) for v in volumes) - min(float(v.min()) for v in volumes)
    biases = [fidelity.brightness_bias for fidelity in kept if not math.isnan(fidelity.brightness_bias)]
    return Option(
        goal.option,
        goal.value,
        goal.label,
        sum(volume.nbytes for volume in volumes),
        stored,
        encoding,
        decoding,
        metrics.psnr_of(math.sqrt(squares / sum(volume.size for volume in volumes)), span),
        max(fidelity.max_error for fidelity in kept),
        sum((fidelity.blobs for fidelity in kept), Kept(0, 0, 0)),
        sum((fidelity.segmented for fidelity in kept), Overlap(0, 0, 0)),
        max(biases, key=abs, default=math.nan),
    )
