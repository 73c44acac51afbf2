"""The widest quantisation steps of a residual that keep a root mean square error."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinc_codec.encoding.residual.encode import Residual
from tinc_codec.residual.integer_domain import IntegerDomain
from tinc_codec.residual.lattice import Quantiser

_ROUNDING = 0.4
"""Rounding that costs the fewest bytes at a given PSNR: zeros are cheap."""

_SEARCHES = 9
_NEAR = 0.995
"""Part of the error allowed that a search is content with."""


def fewest(
    domain: IntegerDomain,
    rmse: float,
    coded: Callable[[Quantiser], Residual],
    error: Callable[[Residual], float],
    check: Callable[[], None],
) -> Residual:
    """The residual of the fewest bytes whose decoder keeps a root mean square error.

    Parameters
    ----------
    domain
        Of the volume.
    rmse
        In the data's units.
    coded
        The residual of a quantiser.
    error
        What a residual's decoder gives is off by, in the data's units.
    check
        Is called before each residual, and may raise.
    """
    best = coded(Quantiser(1))
    narrow, wide = 1.0, 2.0 * max(domain.top, 1)
    width = min(max(rmse / float(domain.quantum) * math.sqrt(12), 1), wide)
    tried, this, reached = 1, best, 0.0
    for _ in range(_SEARCHES):
        if round(width) <= narrow or wide / narrow < 1.01:
            break
        check()
        if round(width) != tried:  # several widths in a row may be the same integer
            tried = round(width)
            this = coded(Quantiser(tried, _ROUNDING))
            reached = error(this)
        if _NEAR * rmse <= reached <= rmse:
            return min(best, this, key=lambda c: len(c.section))
        if reached <= rmse:
            narrow, best = round(width), min(best, this, key=lambda c: len(c.section))
        else:
            wide = width
        proposed = width * min(max(rmse / reached, 0.25), 4.0) if reached > 0 else 4 * width
        width = proposed if narrow * 1.005 < proposed < wide else math.sqrt(narrow * wide)
    finer = coded(Quantiser(round(narrow) + 1))
    return finer if error(finer) <= rmse and len(finer.section) < len(best.section) else best
