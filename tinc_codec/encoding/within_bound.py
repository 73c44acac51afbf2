"""The smallest stream that keeps a bound: coefficients, sine layers as far as they pay, and the residual."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from tinc_codec.detail.goals import Error
from tinc_codec.encoding import coefficients, holes, networks, shallow
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.residual.encode import Residual, encode, foretold
from tinc_codec.encoding.residual.fewest import fewest
from tinc_codec.encoding.residual.fit import FITTED
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.encoding.tree_model import Modelling
from tinc_codec.encoding.verified import Exactly, Verified, measure, predicted, verify
from tinc_codec.errors import TrainingError, UnreachableGoalError
from tinc_codec.residual.integer_domain import IntegerDomain, bounded_domain
from tinc_codec.residual.lattice import Quantiser
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.stream.container import Section
from tinc_codec.targets import Bound

log = logging.getLogger("tinc_codec")

_DOUBT = 1.2
"""What blocks foretell over what is, at most: their borders cost more."""

_TINY = 0.05
"""Bits a voxel up to which what blocks foretell is too rough to decide: both are coded."""

WORTHWHILE = 0.75
"""Bits a voxel without networks above which none is tried: noise rules there, which no network predicts."""

NOISE = 2.5
"""Bits a voxel of a stream that keeps a PSNR, above which the residual alone may be smaller than coefficients."""

SMALLEST_BUDGET = 200
"""Bytes below which no network is tried."""

PROMISING = 1.01
"""Size over the best without networks up to which one that was trained a little is worth being trained in full."""

_PROBE = 2
"""Levels of effort below the one asked for at which budgets are compared."""

_SHARES = (1 / 40, 1 / 10)
"""Parts of the bytes without networks that are tried as a network's budget under a residual."""

_AIM = 1 - 1e-9
"""Part of the root mean square error allowed that is aimed at: the PSNR of all of it may be rounded to below."""

_SPREAD = 1.7
"""Largest error over root mean square error of a uniform quantiser, about."""

_WITHIN = 10 ** (-0.05 / 20)
"""Part of the error allowed that coefficients must use: a twentieth of a dB."""

_AIMS = 5

_UNDER_RESIDUAL = 0.41
"""Root mean square error of the coefficients under a residual, over the largest error allowed: few samples are off by
more, and what is not off by more costs nothing."""

_ABOUT = 0.96
"""Part of that error that is good enough: bytes hardly change."""

_LARGE = 0.35
"""Bits a voxel of the residual alone up to which coefficients under it are tried: noise that is left to the residual,
which predicts each sample from its neighbours, is coded there at least as well as by coefficients and a residual."""


@dataclass(frozen=True)
class Goal:
    """What the samples that are for the model must keep.

    Parameters
    ----------
    domain
        Integers to code them as.
    allowed
        Largest error in the domain's integers.
    bound
        What they must keep, in the data's units.
    rmse
        What is aimed at, where the bound is one of the root mean square error.
    """

    domain: IntegerDomain
    allowed: int
    bound: Bound
    rmse: float | None


def goal(chunk: PreparedChunk) -> Goal | None:
    """What is asked for a chunk; None where its range is too wide for any domain."""
    limit = chunk.config.target.bound(float(chunk.low), float(chunk.high))
    rmse = None if limit.rmse is None else limit.rmse * _AIM
    error = limit.max_error if rmse is None else rmse * _SPREAD
    assert error is not None
    samples = chunk.for_model(chunk.values)
    domain = bounded_domain(samples, chunk.low, chunk.high, error) if math.isfinite(error) else None
    return None if domain is None else Goal(*domain, limit, rmse)


def _size(one: Verified) -> int:
    return len(one.stream)


@dataclass(frozen=True, eq=False)
class Bounded:
    """One chunk's way to a largest error or a PSNR.

    Parameters
    ----------
    chunk
        The chunk; it has samples that are for the model.
    report
        Told of the work, and asked whether to go on.
    """

    chunk: PreparedChunk
    report: TrainingProgress

    def run(self, plain: Exactly) -> bytes:
        """The smallest stream found that keeps the target.

        Parameters
        ----------
        plain
            The chunk stored losslessly, which keeps every target.

        Raises
        ------
        MissingDependencyError
            A network is asked for, and torch is not installed.
        """
        aim = goal(self.chunk)
        if aim is None:
            log.info("a chunk of shape %s is stored losslessly: its range is too wide", self.chunk.header.shape)
            return plain.stream
        share = self.chunk.config.network_share
        without = list(self._completed({}, aim, share in ("auto", 0)))
        streams = [one.stream for one in without]
        if share == "auto" and aim.rmse:
            streams += [one.stream for one in self._under_coefficients(min(without, key=_size, default=None), aim.rmse)]
        elif aim.allowed and (share == "auto" or share > 0):
            with_network = self._with_network(aim, min(map(len, streams or [plain.stream])), share)
            if with_network is not None:
                streams.append(with_network.stream)
        if not streams:
            return plain.stream
        best = min(streams, key=len)
        return plain.stream if plain.within(len(best)) else best

    def _completed(self, above: dict[int, bytes], aim: Goal, with_detail: bool) -> Iterator[Verified]:
        """Streams that keep the target, with what lies above as it is."""
        samples = predicted(self.chunk, above) if above else None
        if samples is not None:
            quality = measure(self.chunk, samples)
            if aim.bound.holds(quality.max_error, quality.rmse):
                alone = verify(self.chunk, above)
                if alone.complaint is None:
                    yield alone
                    return
        with_detail = with_detail and coefficients.possible(self.chunk)
        if aim.rmse and with_detail:
            detailed = self._to_rmse(above, samples, aim.rmse)
            if detailed is not None:
                yield detailed
                if 8 * len(detailed.stream) < NOISE * self.chunk.values.size:
                    return
        if aim.rmse is not None or not aim.allowed or not with_detail:
            candidates = [self._with_residual(above, aim, samples)]
        else:
            candidates = list(self._to_largest(above, aim, samples))
        yield from filter(None, candidates)

    def _to_largest(
        self, above: dict[int, bytes], aim: Goal, samples: NDArray[Any] | None
    ) -> Iterator[Verified | None]:
        """Streams that keep a largest error: the residual alone, and coefficients under it where that may be smaller.

        With the least effort, blocks of the volume say which of them is coded.
        """
        few, size = math.inf, self.chunk.values.size
        if self.chunk.config.effort == 1:
            few = self._foretold(aim, samples)
        if few > _LARGE * _DOUBT:
            residual = self._with_residual(above, aim, samples)
            yield residual
            if few < math.inf or residual is None or 8 * len(residual.stream) > _LARGE * size:
                return
        detailed = self._under_residual(above, aim, samples)
        yield detailed
        sure = few if few > _TINY else 0
        if few <= _LARGE * _DOUBT and (detailed is None or 8 * len(detailed.stream) > sure * size):
            yield self._with_residual(above, aim, samples)

    def _foretold(self, aim: Goal, samples: NDArray[Any] | None) -> float:
        """Bits a voxel that the residual alone would take, about."""
        return foretold(self._volume(aim, samples), Quantiser(2 * aim.allowed + 1))

    def _volume(self, aim: Goal, samples: NDArray[Any] | None) -> Volume:
        return Volume(aim.domain, aim.domain.from_samples(self.chunk.filled), self.chunk.modelled, samples)

    def _to_rmse(self, above: dict[int, bytes], samples: NDArray[Any] | None, rmse: float) -> Verified | None:
        """The smaller of coefficients with and without a hole; None: none keep the target."""
        plain = self._of_coefficients(self.chunk, above, samples, rmse)
        chunk = holes.left_out(self.chunk, rmse)
        if chunk is None:
            return plain
        holed = self._of_coefficients(chunk, above, samples, rmse)
        return min(filter(None, (plain, holed)), key=_size, default=None)

    def _of_coefficients(
        self, chunk: PreparedChunk, above: dict[int, bytes], samples: NDArray[Any] | None, rmse: float
    ) -> Verified | None:
        counted, modelled = (part(chunk.values).size for part in (chunk.counting, chunk.for_model))
        best, error = None, rmse * math.sqrt(counted / modelled)
        for _ in range(_AIMS):
            try:
                detail = coefficients.sections(chunk, Error(error), self.report, samples)
            except UnreachableGoalError:
                break
            verified = verify(chunk, {**above, **detail})
            if verified.complaint is None and (best is None or len(verified.stream) < len(best.stream)):
                best = verified
            if _WITHIN * rmse <= verified.quality.rmse <= rmse or not verified.quality.rmse:
                break
            error *= min(max(math.sqrt(_WITHIN) * rmse / verified.quality.rmse, 0.5), 2.0)
        return best

    def _under_residual(self, above: dict[int, bytes], aim: Goal, samples: NDArray[Any] | None) -> Verified | None:
        """Coefficients that leave few samples to the residual."""
        assert aim.bound.max_error is not None
        try:
            detail = coefficients.sections(
                self.chunk, Error(_UNDER_RESIDUAL * aim.bound.max_error, _ABOUT), self.report, samples
            )
        except UnreachableGoalError:
            return None
        sections = {**above, **detail}
        return self._with_residual(sections, aim, predicted(self.chunk, sections))

    def _under_coefficients(self, alone: Verified | None, rmse: float) -> Iterator[Verified]:
        """Streams with shallow levels under the coefficients that keep a PSNR."""
        if alone is None:
            return
        chunk = alone.chunk
        for sections in shallow.tried(alone, self.report):
            try:
                attempt = self._of_coefficients(chunk, sections, predicted(chunk, sections), rmse)
            except TrainingError as error:  # what nobody asked for may fail: there are the coefficients
                log.info("networks are left out: %s", error)
                continue
            if attempt is not None:
                yield attempt

    def _with_network(self, aim: Goal, without: int, share: float | str) -> Verified | None:
        """The smallest stream that a network is part of; budgets are compared at less effort."""
        config = self.chunk.config
        if share != "auto":
            return self._at_budget(aim, max(round(without * float(share)), SMALLEST_BUDGET), config.effort, self.report)
        if not networks.worth_a_probe(config) or 8 * without > WORTHWHILE * self.chunk.values.size:
            return None
        budgets = [round(without * part) for part in _SHARES if without * part >= SMALLEST_BUDGET]
        effort = max(1, config.effort - _PROBE)
        best: tuple[float, int, Verified | None] = (without * PROMISING, 0, None)
        for number, budget in enumerate(budgets):
            report = self.report.part(*networks.probing(number, len(budgets)))
            attempt = self._at_budget(aim, budget, effort, report)
            log.debug("%d bytes of network: %s in all, %d without", budget, attempt and len(attempt.stream), without)
            if attempt is None or len(attempt.stream) > without * PROMISING:
                break  # still larger networks would cost more still
            if len(attempt.stream) < best[0]:
                best = (len(attempt.stream), budget, attempt)
        if best[2] is None or effort == config.effort:
            return best[2]
        return self._at_budget(aim, best[1], config.effort, self.report.part(*networks.TRAINING)) or best[2]

    def _at_budget(self, aim: Goal, budget: int, effort: int, report: TrainingProgress) -> Verified | None:
        config = replace(self.chunk.config, effort=effort)
        try:
            modelled = Modelling(self.chunk, budget, config, report).run()
            completed = [] if modelled is None else self._completed(modelled.sections, aim, config.network_share != 1)
            return min(completed, key=_size, default=None)
        except TrainingError as error:
            log.info("a network of %d bytes is given up: %s", budget, error)
            return None

    def _with_residual(self, sections: dict[int, bytes], aim: Goal, samples: NDArray[Any] | None) -> Verified | None:
        """The stream of predictors and a residual, None where its decoder does not keep the target."""
        chunk, volume = self.chunk, self._volume(aim, samples)
        exactly = Quantiser(2 * aim.allowed + 1)
        coded = self._coded(volume, exactly) if aim.rmse is None else self._fewest(volume, aim.rmse)
        verified = verify(chunk, {**sections, Section.RESIDUAL: coded.section})
        if verified.complaint is None:
            return verified
        text = "a chunk of shape %s %s with this residual, which is dropped"
        log.warning(text, chunk.header.shape, verified.complaint)
        return None

    def _coded(self, volume: Volume, quantiser: Quantiser) -> Residual:
        """A residual, with predictors that are fitted to as many voxels as the effort is worth."""
        return encode(volume, quantiser, FITTED if self.chunk.config.effort == 1 else 4 * FITTED)

    def _fewest(self, volume: Volume, rmse: float) -> Residual:
        """The residual of the fewest bytes whose decoder keeps a root mean square error."""
        domain, chunk = volume.domain, self.chunk

        def error(coded: Residual) -> float:
            return measure(chunk, domain.to_samples(coded.values)).rmse

        return fewest(domain, rmse, lambda quantiser: self._coded(volume, quantiser), error, self.report.check)
