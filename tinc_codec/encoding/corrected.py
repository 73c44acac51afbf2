"""Predictors with a residual that corrects them, so that a goal is kept."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tinc_codec.encoding.goal import Goal
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.residual.encode import Residual, encode
from tinc_codec.encoding.residual.fewest import fewest
from tinc_codec.encoding.residual.fit import FITTED
from tinc_codec.encoding.residual.foretell import foretold, of_differences
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.encoding.verified import Verified, measure, verify
from tinc_codec.residual.lattice import Quantiser
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.stream.container import Section

log = logging.getLogger("tinc_codec")

_PLAINLY = 0.55
"""Part of the bits of plain differences that a residual takes at least."""


@dataclass(frozen=True, eq=False)
class Corrected:
    """Residuals of one chunk.

    Parameters
    ----------
    chunk
        The chunk.
    aim
        What they are to keep; of a largest error, one that allows some.
    report
        Asked whether to go on.
    """

    chunk: PreparedChunk
    aim: Goal
    report: TrainingProgress

    def stream(self, sections: dict[int, bytes], samples: NDArray[Any] | None) -> Verified | None:
        """The stream of predictors and a residual, None where its decoder does not keep the goal.

        Parameters
        ----------
        sections
            Of the predictors.
        samples
            What their decoder gives; None: there are none.
        """
        chunk, volume = self.chunk, self._volume(samples)
        coded = self._coded(volume, self._exactly) if self.aim.rmse is None else self._fewest(volume, self.aim.rmse)
        verified = verify(chunk, {**sections, Section.RESIDUAL: coded.section}, samples)
        if verified.complaint is None:
            return verified
        text = "a chunk of shape %s %s with this residual, which is dropped"
        log.warning(text, chunk.header.shape, verified.complaint)
        return None

    def foretold(self, samples: NDArray[Any] | None, most: float) -> float:
        """Bits a voxel that a residual takes, about; infinite where it is plain that they are more than `most`."""
        volume = self._volume(samples)
        if _PLAINLY * of_differences(volume, self._exactly) > most:
            return math.inf
        return foretold(volume, self._exactly)

    @property
    def _exactly(self) -> Quantiser:
        """Lets no sample be off by more than is allowed."""
        return Quantiser(2 * self.aim.allowed + 1)

    @lazy
    def _integers(self) -> NDArray[Any]:
        return self.aim.domain.from_samples(self.chunk.filled)

    def _volume(self, samples: NDArray[Any] | None) -> Volume:
        return Volume(self.aim.domain, self._integers, self.chunk.modelled, samples)

    def _coded(self, volume: Volume, quantiser: Quantiser) -> Residual:
        """A residual, with predictors that are fitted to as many voxels as the effort is worth."""
        return encode(volume, quantiser, FITTED if self.chunk.config.effort == 1 else 4 * FITTED)

    def _fewest(self, volume: Volume, rmse: float) -> Residual:
        """The residual of the fewest bytes whose decoder keeps a root mean square error."""
        domain, chunk = volume.domain, self.chunk

        def error(coded: Residual) -> float:
            return measure(chunk, domain.to_samples(coded.values)).rmse

        return fewest(domain, rmse, lambda quantiser: self._coded(volume, quantiser), error, self.report.check)
