"""From samples to a stream that keeps its target, whatever the samples are."""

from __future__ import annotations

import logging

from numpy.typing import ArrayLike

from tinc_codec.config import Config
from tinc_codec.encoding.prepared import prepare
from tinc_codec.encoding.verified import Exactly
from tinc_codec.encoding.within_bound import Bounded
from tinc_codec.encoding.within_budget import Budgeted
from tinc_codec.errors import TrainingError
from tinc_codec.runtime.progress import TrainingProgress

log = logging.getLogger("tinc_codec")


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
        A stream that keeps the target. With `ratio`, only a chunk too small for any model, or with too much that is
        stored exactly, is larger than ``raw bytes / ratio``, and it is logged.

    Raises
    ------
    ConfigurationError
        The settings are those of a later version.
    UnsupportedDataError
        The dtype, the number of axes or the size is not one that can be stored.
    MissingDependencyError
        Networks are asked for by a `network_share`, and torch is not installed.
    TrainingCancelledError
        The user stopped the program.
    """
    config.check_writable()
    chunk = prepare(array, config)
    report = TrainingProgress(chunk.header.raw_bytes)
    plain = Exactly(chunk)
    if chunk.nothing_to_model:
        return plain.stream
    budget = config.target.budget(chunk.header.raw_bytes)
    try:
        way = Bounded(chunk, report) if budget is None else Budgeted(chunk, budget, report)
        stream = way.run(plain)
        report(1.0)
        return stream
    except TrainingError as error:
        log.warning("a chunk of shape %s is stored losslessly: %s", chunk.header.shape, error)
        return plain.stream
