"""The best stream of at most so many bytes: coefficients, sine layers, or both, whichever share is best."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from tinc_codec.detail.goals import Budget
from tinc_codec.encoding import coefficients, holes, shallow
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.tree_model import Modelled, Modelling
from tinc_codec.encoding.verified import BLANK, Exactly, Verified, assemble, predicted, size_of, verify
from tinc_codec.errors import TrainingError
from tinc_codec.runtime.progress import TrainingProgress

log = logging.getLogger("tinc_codec")

_ATTEMPTS = 6
"""Streams, where corrections of samples that came out as an exact value do not fit the budget."""

_SPARE = 200
"""One part in so many of the room is left free more at each further attempt: corrections do not follow the room."""

_FRAME = 5
"""Bytes that tell a section's kind and length, at most, of sections below 2^28 bytes."""

Attempt = Callable[[int], dict[int, bytes]]
"""Gives a predictor's sections for so many bytes; more, where there are none that are as small."""


@dataclass(frozen=True, eq=False)
class Budgeted:
    """One chunk's way to its budget.

    Parameters
    ----------
    chunk
        The chunk; it has samples that are for the model.
    budget
        Bytes that its stream may take.
    report
        Told of the work, and asked whether to go on.
    """

    chunk: PreparedChunk
    budget: int
    report: TrainingProgress

    def run(self, plain: Exactly) -> bytes:
        """The best stream within the budget, or the smallest there is.

        Parameters
        ----------
        plain
            The chunk stored losslessly: nothing is better where that is small enough.
        """
        if plain.within(self.budget):
            return plain.stream
        share = self.chunk.config.network_share
        best = self._best_share() if share == "auto" else self._with_share(share)
        if len(best.stream) <= self.budget:
            return best.stream
        smallest = min(plain.stream, best.stream, key=len)
        if len(smallest) > self.budget:
            text = "a chunk of shape %s takes %d bytes instead of the %d of ratio %g: too small, or too much is exact"
            log.warning(text, self.chunk.header.shape, len(smallest), self.budget, self.chunk.config.target.value)
        return smallest

    def _best_share(self) -> Verified:
        """Coefficients alone, or with those shallow levels under them that are best."""
        best = self._coefficients()
        sections = shallow.tried(best, self.report)
        if sections is None:
            return best
        try:
            return self._better(best, self._with_shallow_levels(best.chunk, sections))
        except TrainingError as error:  # what nobody asked for may fail: there are the coefficients
            log.info("networks are left out: %s", error)
            return best

    def _with_shallow_levels(self, chunk: PreparedChunk, sections: dict[int, bytes]) -> Verified:
        """Shallow levels as they are, and coefficients in the room that they leave."""
        size, above = size_of(sections), predicted(chunk, sections)

        def completed(room: int) -> dict[int, bytes]:
            left = Budget(max(1, room - size - _FRAME))
            return {**sections, **coefficients.sections(chunk, left, self.report, above)}

        return self._fitted(chunk, completed)

    def _better(self, one: Verified, other: Verified) -> Verified:
        """The one that fits, and has the smaller error."""
        return min(one, other, key=lambda each: (max(len(each.stream), self.budget), each.quality.rmse))

    def _with_share(self, share: float) -> Verified:
        """As much of the room for sine layers as was asked for."""
        chunk = self.chunk
        if share == 0:
            return self._coefficients()

        def sections(room: int) -> dict[int, bytes]:
            modelled = Modelling(chunk, round(room * share), chunk.config, self.report).run()
            return {} if modelled is None else self._completed(chunk, modelled, room, share)

        return self._fitted(chunk, sections)

    def _completed(self, chunk: PreparedChunk, modelled: Modelled, room: int, share: float) -> dict[int, bytes]:
        """The sections of sine layers, and coefficients in the room that they leave."""
        if share == 1 or not coefficients.possible(chunk):
            return modelled.sections
        left = Budget(room - modelled.size - _FRAME)
        above = predicted(chunk, modelled.sections)
        return {**modelled.sections, **coefficients.sections(chunk, left, self.report, above)}

    def _coefficients(self) -> Verified:
        """The better of coefficients with and without a hole; with the least effort, what is foretold to be."""
        chunk = self.chunk
        if not coefficients.possible(chunk):
            raise TrainingError("its numbers are beyond those that can be transformed")
        if chunk.config.effort == 1:
            return self._of_coefficients(holes.foretold(chunk, self.budget))
        best = self._of_coefficients(chunk)
        holed = holes.left_out(chunk, best.quality.rmse, self.budget)
        if holed is None:
            return best
        return self._better(best, self._of_coefficients(holed))

    def _of_coefficients(self, chunk: PreparedChunk) -> Verified:
        return self._fitted(chunk, lambda room: coefficients.sections(chunk, Budget(room - _FRAME), self.report))

    def _fitted(self, chunk: PreparedChunk, attempt: Attempt) -> Verified:
        """The stream of what an attempt gives, again with less room where corrections take some of it."""
        fixed = len(assemble(chunk, {}, BLANK))
        room, best = self.budget - fixed, None
        for number in range(_ATTEMPTS):
            verified = verify(chunk, attempt(room))
            if verified.complaint is not None:
                raise TrainingError(f"it {verified.complaint}")
            best = verified if best is None else self._better(best, verified)
            excess = len(verified.stream) - self.budget
            if excess <= 0:
                break
            room -= excess + number * room // _SPARE
            if room <= 0:
                break
        assert best is not None
        return best
