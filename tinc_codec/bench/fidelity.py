"""What a codec kept of a volume, in every measure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.bench.objects import Detector, Kept, Objects, Overlap, brightness_bias, kept_blobs, otsu, overlap
from tinc_codec.bench.peers import as_stored
from tinc_codec.bench.spectrum import power_spectrum
from tinc_codec.runtime.documents import finite

_SEED = 0
"""Of the noise of another exposure."""


@dataclass(frozen=True, eq=False)
class Fidelity:
    """A decoded volume beside its original.

    Parameters
    ----------
    psnr
        dB over the original's range; infinite where nothing was lost.
    ssim
        Mean over windows of 7 voxels along every axis, see `tinc_codec.metrics.ssim`.
    max_error
        In the data's units.
    threshold_accuracy
        Share of voxels on the same side of the original's threshold of Otsu's (the paper's measure).
    blobs
        Blobs that were kept, lost and added.
    segmented
        Voxels above Otsu's threshold, each volume at its own.
    brightness_bias
        By how much objects became brighter, in per cent; NaN where there are none.
    error_spectrum
        Power of the error at each fineness, see `tinc_codec.bench.spectrum`.
    """

    psnr: float
    ssim: float
    max_error: float
    threshold_accuracy: float
    blobs: Kept
    segmented: Overlap
    brightness_bias: float
    error_spectrum: NDArray[np.float64]

    def as_json(self) -> dict[str, Any]:
        """As a JSON object: null where a measure has no number, and for an infinite PSNR."""
        blobs = {**asdict(self.blobs), "recall": self.blobs.recall, "precision": self.blobs.precision}
        fields = {
            **asdict(self),
            "blobs": {**blobs, "f1": self.blobs.f1},
            "segmented": {**asdict(self.segmented), "dice": self.segmented.dice},
            "error_spectrum": self.error_spectrum.tolist(),
        }
        return {key: finite(value) for key, value in fields.items()}


@dataclass(frozen=True, eq=False)
class Reference:
    """An original, with all that is measured of it once.

    Parameters
    ----------
    volume
        Integers or finite floats.
    noise
        Deviation of its noise.
    threshold
        Otsu's.
    detector, blobs
        What finds blobs, and where they are.
    objects, means
        Bright regions, and their brightness.
    spectrum
        Its own power at each fineness.
    """

    volume: NDArray[Any]
    noise: float
    threshold: float
    detector: Detector
    blobs: dict[float, NDArray[np.intp]]
    objects: Objects
    means: NDArray[np.float64]
    spectrum: NDArray[np.float64]

    @classmethod
    def of(cls, volume: NDArray[Any], noise: float) -> Self:
        """Measure an original."""
        detector, objects = Detector.of(volume, noise), Objects.of(volume)
        means = objects.means(volume)
        return cls(
            volume, noise, otsu(volume), detector, detector.blobs(volume), objects, means, power_spectrum(volume)
        )

    @property
    def data_range(self) -> float:
        """Between the lowest and the highest sample."""
        return float(self.volume.max()) - float(self.volume.min())

    @property
    def blob_count(self) -> int:
        """Blobs of all sizes."""
        return sum(map(len, self.blobs.values()))

    def exposed_again(self) -> NDArray[Any]:
        """The volume with as much noise again, always the same: what of its measures is worth keeping."""
        return as_stored(
            self.volume + np.random.default_rng(_SEED).normal(0, self.noise, self.volume.shape), self.volume
        )

    def compare(self, decoded: NDArray[Any]) -> Fidelity:
        """Measure what a codec made of it; the same shape."""
        volume, span = self.volume, self.data_range
        return Fidelity(
            metrics.psnr(volume, decoded, span),
            metrics.ssim(volume, decoded, span) if span else 1.0,
            metrics.max_error(volume, decoded),
            metrics.threshold_accuracy(volume, decoded, self.threshold),
            kept_blobs(self.blobs, self.detector.blobs(decoded)),
            overlap(volume, decoded),
            brightness_bias(self.means, self.objects.means(decoded)),
            power_spectrum(metrics.difference(volume, decoded)),
        )
