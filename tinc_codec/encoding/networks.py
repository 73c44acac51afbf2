"""Whether networks are tried for a chunk, which ones, and for how long: the ladder of efforts."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from tinc_codec.config import Config
from tinc_codec.encoding.coefficients import COEFFICIENTS_ALONE

LEAST_WINDOW, LARGEST_WINDOW = 2**13, 2**15
"""Voxels of a step's windows, at most; less than the least of them saves no time that matters."""


@dataclass(frozen=True)
class Training:
    """One training of shallow levels under coefficients.

    Parameters
    ----------
    width
        Of the root's layers.
    coarse, fine
        Steps on means over cells, and on windows of the samples.
    windows
        That a chunk has at least, unless they were smaller than the least ones. With more of them a step on a small
        chunk takes less time, and gains less.
    """

    width: int
    coarse: int
    fine: int
    windows: int = 1

    def voxels(self, chunk: int) -> int:
        """Voxels of a window, at most, of a chunk of so many."""
        return min(LARGEST_WINDOW, max(LEAST_WINDOW, chunk // self.windows))


PROBE = Training(8, 250, 0)
"""What says whether small networks can pay: coarse steps alone, which take a second, whatever the chunk's size."""

PATIENT = 7
"""The least effort at which a chunk that the probe promises nothing of is still given the widest network of the effort:
a probe does not foresee what that can do in many steps."""

PROMISING = 1.1
"""Bits that must be saved for each of a network's own, about, before the real coder says whether it pays: that foresees
more of coefficients than the estimate, but at 1.5 some networks gained a tenth of a dB."""

FORETELLING = 0.75
"""The same of a probe, which has a fifth of the steps and sees no detail: what pays after a training of a few seconds
has saved 0.9 to 1 of what its weights take then."""

HALFWAY = 0.3
"""The same after half of the steps, when weights have only begun to count: one that pays in the end may save half of
what its weights take then."""

LADDER = {
    4: (Training(8, 250, 250, windows=32),),
    5: (Training(12, 650, 350, windows=32),),
    6: (Training(12, 400, 1000),),
    7: (Training(12, 400, 600), Training(20, 400, 1200)),
    8: (Training(12, 400, 600), Training(24, 500, 1800)),
    9: (Training(12, 400, 600), Training(24, 500, 3000)),
}
"""Trainings of each effort, narrow ones first."""

PROBED = 0.1
"""Part of the work that a probe is, about."""

_PROBING = 0.2
"""Part of the work that trying budgets of networks is, about."""

TRAINING = (_PROBING, 1.0)
"""Begin and end of the training in full after it, as parts of the work."""


def worth_a_probe(config: Config) -> bool:
    """Whether settings and process allow networks where nobody asks for them by a share.

    Without torch there are none: coefficients keep every target alone.
    """
    return config.effort > COEFFICIENTS_ALONE and find_spec("torch") is not None


def probing(number: int, count: int) -> tuple[float, float]:
    """Begin and end of one of several budgets that are tried, as parts of the work."""
    return _PROBING * number / count, _PROBING * (number + 1) / count


def trained(number: int, count: int) -> tuple[float, float]:
    """Begin and end of one of several trainings after a probe, as parts of the work."""
    each = (1 - PROBED) / count
    return PROBED + each * number, PROBED + each * (number + 1)
