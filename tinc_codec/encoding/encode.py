"""From samples to a stream that keeps its target, whatever the samples are."""

from __future__ import annotations

import logging
import math

from numpy.typing import ArrayLike

from tinc_codec.config import Config
from tinc_codec.encoding.prepared import PreparedChunk, prepare
from tinc_codec.encoding.targets import Targeting
from tinc_codec.encoding.tree_model import Modelling
from tinc_codec.encoding.verified import exactly, verify
from tinc_codec.errors import TrainingError
from tinc_codec.runtime.progress import TrainingProgress

log = logging.getLogger("tinc_codec")

_ATTEMPTS = 3
"""Trainings, where corrections of samples that came out as an exact value do not fit the budget."""


def encode(array: ArrayLike, config: Config) -> bytes:
    """Encode a chunk.

    Parameters
    ----------
    array
        Integers or floats of 1 to 8 bytes, either byte order, C or F order; not written to.
    config
        The settings.

    Returns
    -------
    bytes
        A stream that keeps the target. With `ratio`, only a chunk too small for any network, or with too much that is
        stored exactly, is larger than ``raw bytes / ratio``, and it is logged.

    Raises
    ------
    ConfigurationError
        The settings are those of a later version.
    UnsupportedDataError
        The dtype, the number of axes or the size is not one that can be stored.
    MissingDependencyError
        torch is not installed.
    TrainingCancelledError
        The user stopped the program.
    """
    config.check_writable()
    chunk = prepare(array, config)
    report = TrainingProgress(chunk.header.raw_bytes)
    plain = exactly(chunk)
    if chunk.nothing_to_model:
        return plain
    try:
        if config.ratio is not None:
            return _within(chunk, plain, config.ratio, config, report)
        return Targeting(chunk, config, report).run(plain)
    except TrainingError as error:
        log.warning("a chunk of shape %s is stored losslessly: %s", chunk.header.shape, error)
        return plain


def _within(chunk: PreparedChunk, plain: bytes, ratio: float, config: Config, report: TrainingProgress) -> bytes:
    """The best stream of at most raw / ratio bytes, or the smallest there is."""
    budget = math.floor(chunk.header.raw_bytes / ratio)
    if len(plain) <= budget:
        return plain
    smallest, room = plain, budget
    for _ in range(_ATTEMPTS):
        modelled = Modelling(chunk, room, config, report).run()
        if modelled is None or modelled.size > max(budget, len(plain)):
            break
        verified = verify(chunk, modelled.sections)
        if verified.complaint is not None:
            raise TrainingError(f"it {verified.complaint}")
        found = verified.stream
        smallest = min(smallest, found, key=len) if len(found) > budget else found
        if len(found) <= budget or modelled.size > budget:
            break
        room -= len(found) - modelled.size  # what corrections took
    if len(smallest) > budget:
        text = "a chunk of shape %s takes %d bytes instead of the %d of ratio %g: too small, or too much to be exact"
        log.warning(text, chunk.header.shape, len(smallest), budget, ratio)
    return smallest
