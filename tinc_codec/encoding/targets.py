"""Streams that keep a largest error or a PSNR: a model as far as it pays, and the residual."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

from tinc_codec.config import Config
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.encoding.kept import Bound, bound
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.residual import Coded, Quantiser, Volume, encode
from tinc_codec.encoding.tree_model import Modelled, Modelling
from tinc_codec.encoding.verified import Verified, measure, verify
from tinc_codec.errors import TrainingError
from tinc_codec.residual.integer_domain import IntegerDomain, bounded_domain
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.stream.container import Section
from tinc_codec.tree.node_layout import lay_out

log = logging.getLogger("tinc_codec")

WORTHWHILE = 0.75
"""Bits a voxel of the residual alone above which no network is tried: noise rules there, which no network predicts."""

SHARES = (1 / 40, 1 / 10)
"""Parts of the residual's bytes that are tried as a network's budget."""

SHARES_PSNR = (*SHARES, 1 / 2)
"""The same for a PSNR, which a network may reach with no residual at all."""

SMALLEST_BUDGET = 200
"""Bytes below which no network is tried."""

_PROBE = 2
"""Levels of effort below the one asked for at which budgets are compared."""

_PROMISING = 1.01
"""Size over the residual's alone up to which a network that was trained a little is worth being trained in full."""

_PROBING = 0.25
"""Part of the work that comparing budgets is, about."""

_ROUNDING = 0.4
"""Rounding that costs the fewest bytes at a given PSNR: zeros are cheap."""

_SEARCHES = 9
_NEAR = 0.995
"""Part of the error allowed that a search is content with."""

_AIM = 1 - 1e-9
"""Part of the root mean square error allowed that is aimed at: the PSNR of all of it may be rounded to below."""

_SPREAD = 1.7
"""Largest error over root mean square error of a uniform quantiser, about."""


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


def goal(chunk: PreparedChunk, config: Config) -> Goal | None:
    """What `config` asks for a chunk; None where its range is too wide for any domain."""
    limit = bound(float(chunk.low), float(chunk.high), config)
    rmse = None if limit.rmse is None else limit.rmse * _AIM
    error = limit.max_error if rmse is None else rmse * _SPREAD
    assert error is not None
    domain = bounded_domain(chunk.known(chunk.values), chunk.low, chunk.high, error) if math.isfinite(error) else None
    return None if domain is None else Goal(*domain, limit, rmse)


@dataclass(frozen=True, eq=False)
class Targeting:
    """One chunk's way to its target.

    Parameters
    ----------
    chunk
        The chunk; it has samples that are for the model.
    config
        The settings, with `psnr` or `max_error`.
    report
        Told of the training, and asked whether to go on.
    """

    chunk: PreparedChunk
    config: Config
    report: TrainingProgress

    def run(self, plain: bytes) -> bytes:
        """The smallest stream found that keeps the target.

        Parameters
        ----------
        plain
            The lossless stream, which keeps every target.

        Raises
        ------
        MissingDependencyError
            A network would pay, and torch is not installed.
        """
        target = goal(self.chunk, self.config)
        if target is None:
            log.info("a chunk of shape %s is stored losslessly: its range is too wide", self.chunk.header.shape)
            return plain
        alone = self._stream(target, None)
        streams = [plain] if alone is None else [plain, alone.stream]
        smallest = min(map(len, streams))
        if target.allowed and 8 * smallest <= WORTHWHILE * self.chunk.values.size:
            with_network = self._with_network(target, smallest)
            if with_network is not None:
                streams.append(with_network.stream)
        return min(streams, key=len)

    def _with_network(self, target: Goal, alone: int) -> Verified | None:
        """The smallest stream that a network is part of; budgets are compared at less effort."""
        shares = SHARES if target.rmse is None else SHARES_PSNR
        budgets = [round(alone * share) for share in shares if alone * share >= SMALLEST_BUDGET]
        effort = max(1, self.config.effort - _PROBE)
        best: tuple[float, int, Verified | None] = (alone * _PROMISING, 0, None)
        for number, budget in enumerate(budgets):
            part = self.report.part(_PROBING * number / len(budgets), _PROBING * (number + 1) / len(budgets))
            found = self._at_budget(target, budget, effort, part)
            log.debug("%d bytes of network: %s in all, %d without", budget, found and len(found.stream), alone)
            if found is None or len(found.stream) > alone * _PROMISING:
                break  # still larger networks would cost more still
            if len(found.stream) < best[0]:
                best = (len(found.stream), budget, found)
        if best[2] is None or effort == self.config.effort:
            return best[2]
        return self._at_budget(target, best[1], self.config.effort, self.report.part(_PROBING, 1.0)) or best[2]

    def _at_budget(self, target: Goal, budget: int, effort: int, report: TrainingProgress) -> Verified | None:
        fixed = sum(map(len, self.chunk.kept_exactly.values()))
        config = replace(self.config, effort=effort)
        try:
            modelled = Modelling(self.chunk, budget + fixed, config, report).run()
        except TrainingError as error:
            log.info("a network of %d bytes is given up: %s", budget, error)
            return None
        return None if modelled is None else self._stream(target, modelled)

    def _stream(self, target: Goal, modelled: Modelled | None) -> Verified | None:
        """The stream with the given model, None where its decoder does not keep the target."""
        chunk, domain = self.chunk, target.domain
        sections: dict[int, bytes] = {} if modelled is None else modelled.sections
        samples = None if modelled is None else SineTree(lay_out(modelled.model)).whole()
        if samples is not None:
            quality = measure(chunk, samples)
            if target.bound.holds(quality.max_error, quality.rmse):
                alone = verify(chunk, sections)
                if alone.complaint is None:
                    return alone
        volume = Volume(domain, domain.from_samples(chunk.filled), chunk.modelled, samples)
        if target.rmse is None:
            coded = encode(volume, Quantiser(2 * target.allowed + 1))
        else:
            coded = self._fewest(volume, target.rmse)
        verified = verify(chunk, {**sections, Section.RESIDUAL: coded.section})
        if verified.complaint is None:
            return verified
        text = "a chunk of shape %s %s with this residual, which is dropped"
        log.warning(text, chunk.header.shape, verified.complaint)
        return None

    def _fewest(self, volume: Volume, rmse: float) -> Coded:
        """The residual of the fewest bytes whose decoder keeps a root mean square error."""
        domain, chunk = volume.domain, self.chunk

        def error(coded: Coded) -> float:
            return measure(chunk, domain.to_samples(coded.values)).rmse

        best = encode(volume, Quantiser(1))
        narrow, wide = 1.0, 2.0 * max(domain.top, 1)
        width = min(max(rmse / float(domain.quantum) * math.sqrt(12), 1), wide)
        for _ in range(_SEARCHES):
            if round(width) <= narrow or wide / narrow < 1.01:
                break
            self.report.check()
            coded = encode(volume, Quantiser(round(width), _ROUNDING))
            found = error(coded)
            if _NEAR * rmse <= found <= rmse:
                return min(best, coded, key=lambda c: len(c.section))
            if found <= rmse:
                narrow, best = round(width), min(best, coded, key=lambda c: len(c.section))
            else:
                wide = width
            proposed = width * min(max(rmse / found, 0.25), 4.0) if found > 0 else 4 * width
            width = proposed if narrow * 1.005 < proposed < wide else math.sqrt(narrow * wide)
        finer = encode(volume, Quantiser(round(narrow) + 1))
        return finer if error(finer) <= rmse and len(finer.section) < len(best.section) else best
