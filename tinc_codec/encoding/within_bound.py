"""The smallest stream that keeps a bound: coefficients, sine layers as far as they pay, and the residual."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tinc_codec.encoding import coefficients, mean_error, networks, shallow
from tinc_codec.encoding.corrected import Corrected
from tinc_codec.encoding.goal import Goal, goal
from tinc_codec.encoding.largest_error import LargestError
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.tree_model import Modelling
from tinc_codec.encoding.verified import Exactly, Verified, measure, predicted, verify
from tinc_codec.errors import TrainingError
from tinc_codec.runtime.progress import TrainingProgress

log = logging.getLogger("tinc_codec")

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
            more = self._under_coefficients(min(without, key=_size, default=None), aim.rmse)
            streams += [] if more is None else [more.stream]
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
            detailed = mean_error.smaller(self.chunk, above, samples, aim.rmse, self.report)
            if detailed is not None:
                yield detailed
                if 8 * len(detailed.stream) < NOISE * self.chunk.values.size:
                    return
        corrected = Corrected(self.chunk, aim, self.report)
        if aim.rmse is None and aim.allowed:
            yield from LargestError(corrected).streams(above, samples, with_detail)
        else:
            yield from filter(None, [corrected.stream(above, samples)])

    def _under_coefficients(self, alone: Verified | None, error: float) -> Verified | None:
        """The stream with shallow levels under the coefficients that keep a PSNR; None: there is none."""
        sections = None if alone is None else shallow.tried(alone, self.report)
        if alone is None or sections is None:
            return None
        chunk = alone.chunk
        try:
            return mean_error.of_coefficients(chunk, sections, predicted(chunk, sections), error, self.report)
        except TrainingError as failure:  # what nobody asked for may fail: there are the coefficients
            log.info("networks are left out: %s", failure)
            return None

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
