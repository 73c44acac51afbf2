"""One bench on given data: its crop, all trials on it, and the document that is made of them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinc_codec.bench.comparison import PEERS, Goal, LeftOut, Trial, compare
from tinc_codec.bench.data import Image, read_crop, shown
from tinc_codec.bench.fidelity import Fidelity, Reference
from tinc_codec.bench.peers import Peer
from tinc_codec.bench.spectrum import frequencies
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.regions import Region
from tinc_codec.noise_level import noise
from tinc_codec.runtime.documents import finite


@dataclass(frozen=True)
class Asked:
    """What a bench is asked for.

    Parameters
    ----------
    ratios, psnrs, max_errors
        Values of the settings of these names.
    noises
        Largest errors in multiples of the noise.
    efforts
        Of tinc.
    peers
        Those to compare with.
    """

    ratios: Sequence[float] = ()
    psnrs: Sequence[float] = ()
    max_errors: Sequence[float] = ()
    noises: Sequence[float] = ()
    efforts: Sequence[int] = (1, 3)
    peers: Sequence[Peer] = PEERS

    def goals(self, deviation: float) -> list[Goal]:
        """The goals on a crop whose noise has a deviation.

        Raises
        ------
        ConfigurationError
            A multiple of the noise is asked for where there is none, or a value cannot be one of its setting.
        """
        if self.noises and not deviation:
            raise ConfigurationError(
                "no noise was measured, as in labels and in masks, so that no multiple of it can be asked for: give "
                "--max-error"
            )
        goals = [Goal.of("ratio", value) for value in self.ratios]
        goals += [Goal.of("psnr", value) for value in self.psnrs]
        goals += [Goal.of("max_error", value) for value in self.max_errors]
        for times in self.noises:
            value = times * deviation
            goals.append(Goal("max_error", value, f"max_error {value:.4g} ({times:g} x noise)"))
        for goal in goals:
            for effort in self.efforts:
                goal.codec(effort)
        return goals


@dataclass(frozen=True, eq=False)
class DataStudy:
    """Results on one crop.

    Parameters
    ----------
    image, crop
        What was tried, and which part of it.
    lacking
        Samples of it that are no finite numbers.
    reference
        The crop's samples, measured.
    exposure
        Those with as much noise again, as another exposure would have it: what these measures are worth.
    trials, left_out
        What was tried, and what could not be, in order.
    """

    image: Image
    crop: Region
    lacking: int
    reference: Reference
    exposure: Fidelity
    trials: tuple[Trial, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def goals(self) -> list[str]:
        """Labels of the goals."""
        return list(dict.fromkeys(trial.goal for trial in self.trials))

    @property
    def where(self) -> str:
        """The crop, as the command line takes it."""
        return shown(self.crop)

    @property
    def notes(self) -> list[str]:
        """What a reader should know."""
        notes = (
            [] if self.image.exact is None else [f"`tinc compress` would keep this array as it is: {self.image.exact}"]
        )
        if self.lacking:
            notes.append(f"{self.lacking:,} samples are not finite; every codec was given the median in their place")
        if not self.reference.noise:
            notes.append("no noise was measured: these may be labels, a mask, or a rendering")
        if self.reference.noise:
            blobs, segmented = self.exposure.blobs.f1, self.exposure.segmented.dice
            notes.append(
                f"another exposure, with as much noise again, would have {self.exposure.psnr:.2f} dB, "
                f"F1 {blobs:.3f}, Dice {segmented:.3f}"
            )
        if not self.reference.blob_count:
            notes.append("no blobs stand out in this crop")
        return notes

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        volume = self.reference.volume
        described = {
            "data": self.image.name,
            "crop": self.where,
            "shape": list(volume.shape),
            "dtype": str(volume.dtype),
            "raw_bytes": volume.nbytes,
            "noise": self.reference.noise,
            "data_range": self.reference.data_range,
            "otsu_threshold": self.reference.threshold,
            "blobs": self.reference.blob_count,
            "blob_thresholds": {f"{sigma:g}": value for sigma, value in self.reference.detector.thresholds.items()},
            "frequencies": frequencies().tolist(),
            "spectrum": self.reference.spectrum.tolist(),
            "another_exposure": self.exposure.as_json(),
            "machine": machine(),
            "notes": self.notes,
        }
        results = {
            "trials": [trial.as_json() for trial in self.trials],
            "left_out": [left.as_json() for left in self.left_out],
        }
        document: dict[str, Any] = finite({**described, **results})
        return document


def machine() -> str:
    """Where seconds were measured."""
    cpus = Path("/proc/cpuinfo")  # Linux; elsewhere the platform knows
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = names[0] if names else platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def study(image: Image, crop: Region, asked: Asked, follow: Callable[[Trial | LeftOut], None]) -> DataStudy:
    """Try everything that is asked for on a crop.

    Parameters
    ----------
    image, crop, asked
        What, which part of it, and how.
    follow
        Called with each result.

    Raises
    ------
    ConfigurationError
        The crop has no finite sample, or a goal cannot be asked for.
    """
    volume, lacking = read_crop(image, crop)
    reference = Reference.of(volume, noise(volume))
    results = []
    for result in compare(reference, asked.goals(reference.noise), asked.efforts, asked.peers):
        follow(result)
        results.append(result)
    trials = tuple(result for result in results if isinstance(result, Trial))
    left_out = tuple(result for result in results if isinstance(result, LeftOut))
    exposure = reference.compare(reference.exposed_again())
    return DataStudy(image, crop, lacking, reference, exposure, trials, left_out)
