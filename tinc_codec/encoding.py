"""From samples to a stream: a fitted tree, or lossless where that is smaller or nothing else will do."""

from __future__ import annotations

import logging
import math

from numpy.typing import ArrayLike

from tinc_codec.config import Config
from tinc_codec.errors import TrainingError
from tinc_codec.modelling import Modelling
from tinc_codec.progress import Report
from tinc_codec.source import Source, prepare
from tinc_codec.stream import lossless
from tinc_codec.stream.container import Container, Section, pack

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
        At most ``raw bytes / ratio``; only a chunk too small for any network, or with too much that is stored exactly,
        is larger, and it is logged.

    Raises
    ------
    UnsupportedDataError
        The dtype, the number of axes or the size is not one that can be stored.
    MissingDependencyError
        torch is not installed.
    TrainingCancelledError
        The user stopped the program.
    """
    source = prepare(array)
    report = Report(source.header.raw_bytes)
    exactly = _lossless(source)
    budget = math.floor(source.header.raw_bytes / config.ratio)
    if len(exactly) <= budget or source.nothing_to_model:
        return exactly
    try:
        modelled = Modelling(source, budget, config, report).run()
    except TrainingError as error:
        log.warning("a chunk of shape %s is stored losslessly: %s", source.header.shape, error)
        return exactly
    smallest = exactly if modelled is None or len(modelled) > max(budget, len(exactly)) else modelled
    if len(smallest) > budget:
        text = "a chunk of shape %s takes %d bytes instead of the %d of ratio %g: too small, or too much to be exact"
        log.warning(text, source.header.shape, len(smallest), budget, config.ratio)
    return smallest


def _lossless(source: Source) -> bytes:
    return pack(Container(source.header, {Section.LOSSLESS: lossless.pack(source.values)}))
