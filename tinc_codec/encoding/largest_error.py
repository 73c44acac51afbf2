"""Streams that keep a largest error: a residual alone, or coefficients under it that leave little to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tinc_codec.detail.goals import Step
from tinc_codec.encoding import coefficients
from tinc_codec.encoding.corrected import Corrected
from tinc_codec.encoding.verified import Verified, predicted, size_of
from tinc_codec.errors import UnreachableGoalError

_LARGE = 0.85
"""Bits a voxel of the residual alone up to which coefficients under it are tried: noise that is left to the residual,
which predicts each sample from its neighbours, is coded there at least as well as by coefficients and a residual."""

_USUAL, _COARSEST = 3.2, 11.0
_LIKE, _POWER = 0.2, 0.41
"""Steps of coefficients under a residual, in largest errors: the usual one where that alone takes `_LIKE` bits a voxel
or more; where it takes fewer, few samples are off by more than is allowed, and each finer coefficient costs more than
it saves."""

_MOST = 0.43
"""Part of the bytes of the residual alone from which coefficients do not pay: they hold its noise."""

_PART, _STEEP, _FARTHEST = 0.28, 0.75, 1.28
"""Part of these bytes that coefficients of the usual step take where it is right, the power of it that the step that is
right instead follows, and the largest factor."""

_CLOSE = 0.45
"""Bits a voxel of the residual alone from which it is foretold what coefficients leave, too, before it is coded."""


def step(bits: float) -> float:
    """Quantisation step of the coefficients under a residual, in largest errors allowed.

    Parameters
    ----------
    bits
        A voxel, of the residual alone, about.
    """
    coarser: float = (_LIKE / max(bits, 1e-6)) ** _POWER
    return min(_USUAL * max(1.0, coarser), _COARSEST)


def refined(bits: float, part: float) -> float:
    """Factor of the step: finer where coefficients are cheap beside what is coded without them.

    Parameters
    ----------
    bits
        See `step`.
    part
        Of the bytes of the residual alone, what the coefficients take.

    Raises
    ------
    UnreachableGoalError
        They take too much.
    """
    if part > _MOST:
        raise UnreachableGoalError(f"coefficients take {part:.2f} of the bytes of a residual alone")
    factor: float = (part / _PART) ** _STEEP if bits >= _LIKE else 1.0
    return min(max(factor, 1 / _FARTHEST), _FARTHEST)


@dataclass(frozen=True, eq=False)
class LargestError:
    """One chunk's way to a largest error.

    Parameters
    ----------
    corrected
        Its residuals.
    """

    corrected: Corrected

    def streams(self, above: dict[int, bytes], samples: NDArray[Any] | None, with_detail: bool) -> Iterator[Verified]:
        """Streams that keep it, with what lies above as it is.

        With the least effort, blocks of the volume say how many bits a residual alone would take, and one way is coded.

        Parameters
        ----------
        above
            Sections of what lies above.
        samples
            What these predict; None: there are none.
        with_detail
            Whether there may be coefficients.
        """
        size, foretelling = self.corrected.chunk.values.size, self.corrected.chunk.config.effort == 1
        bits, alone = math.inf, None
        if with_detail and foretelling:
            bits = self.corrected.foretold(samples, _LARGE)
        else:
            alone = self.corrected.stream(above, samples)
            bits = math.inf if alone is None else 8 * len(alone.stream) / size
        detailed = self._under_residual(above, samples, bits) if with_detail and bits <= _LARGE else None
        if foretelling and with_detail and (detailed is None or 8 * len(detailed.stream) > bits * size):
            alone = self.corrected.stream(above, samples)
        yield from filter(None, (alone, detailed))

    def _under_residual(self, above: dict[int, bytes], samples: NDArray[Any] | None, bits: float) -> Verified | None:
        """Coefficients, and the residual that they leave; None: they do not pay."""
        chunk, bound = self.corrected.chunk, self.corrected.aim.bound.max_error
        assert bound is not None
        size = chunk.values.size
        goal = Step(step(bits) * bound, lambda taken: refined(bits, 8 * taken / (bits * size)))
        try:
            detail = coefficients.sections(chunk, goal, self.corrected.report, samples)
        except UnreachableGoalError:
            return None
        sections = {**above, **detail}
        beneath = predicted(chunk, sections)
        if bits > _CLOSE and 8 * size_of(detail) / size + self.corrected.foretold(beneath, _LARGE) > bits:
            return None
        return self.corrected.stream(sections, beneath)
