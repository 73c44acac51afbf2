"""Whether networks are tried for a chunk, which ones, and for how long: the ladder of efforts."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from tinc_codec.config import Config
from tinc_codec.encoding.coefficients import COEFFICIENTS_ALONE

WINDOW = 2**15
"""Voxels of a step's window, at most. A quarter for more steps in the same time gains less, at efforts 5 and 9, and so
does twice as many for fewer."""


@dataclass(frozen=True)
class Training:
    """One training of shallow levels under coefficients.

    Parameters
    ----------
    width
        Of the root's layers.
    coarse, fine
        Steps on means over cells, and on windows of the samples.
    """

    width: int
    coarse: int
    fine: int


PROBE = Training(8, 250, 0)
"""What says whether networks can pay at all: coarse steps alone, half a second of them, whatever the chunk's size."""

PATIENT = 7
"""The least effort at which a chunk that the probe promises nothing of is still given a network: a probe does not
foresee what a wide one can do in many steps."""

PROMISING = 1.1
"""Bits that must be saved for each of a network's own, about, before the real coder says whether it pays: that foresees
more of coefficients than the estimate, but at 1.5 some networks gained a tenth of a dB."""

FORETELLING = 0.4
"""The same of a probe, which has few steps and sees no detail: only what is hopeless is left out.
Chunks that gained 0.04 to 0.75 dB after 1,000 steps had saved 0.5 to 1.2 of what its weights take then, and others,
which gained nothing, up to 0.8."""

HALFWAY = 0.3
"""The same after half of the fine steps: of 1,000 steps in all, chunks that gained 0.04 dB or more in the end had saved
0.76 to 1.7 of what weights take then, and others up to 0.69. Before there were any fine steps, 0 said nothing."""

LADDER = {
    4: Training(8, 250, 300),
    5: Training(16, 500, 500),
    6: Training(16, 500, 1500),
    7: Training(20, 500, 2500),
    8: Training(20, 500, 4500),
    9: Training(20, 500, 7000),
}
"""The training of each effort."""

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
