"""What may be asked of every chunk: one target a file; a new one is a line in `TARGETS`.

May import parsing, metrics and errors. Start with `protocol`. How a chunk is encoded for a target is the encoder's
(`tinc_codec.encoding.targets`); what is kept is said here, for encoder, worker and check alike.
"""

from __future__ import annotations

from tinc_codec.targets.max_error import MaxError
from tinc_codec.targets.protocol import Bound, Target
from tinc_codec.targets.psnr import Psnr
from tinc_codec.targets.ratio import Ratio

TARGETS: tuple[type[Target], ...] = (Ratio, Psnr, MaxError)
"""The first one is taken, with its default, where a user names none."""

__all__ = ["TARGETS", "Bound", "MaxError", "Psnr", "Ratio", "Target"]
