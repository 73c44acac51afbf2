"""Pictures for a job's report: what cannot be drawn is said, and never fails the job."""

from __future__ import annotations

import logging

import numpy as np

from tinc_codec.jobs.report.figures import Picture
from tinc_codec.jobs.work import Work

log = logging.getLogger("tinc_codec")

_PICTURED = 4
"""Arrays of which the report has a picture."""

_EDGE = 256
"""Edge of a picture in voxels, or a chunk's where that is more."""


def views(works: list[Work]) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """The middle plane of the first compressed arrays, and a note on each that cannot be shown."""
    shown, notes = [], []
    for work in [work for work in works if work.mode == "encode"][:_PICTURED]:
        try:
            shown.append(_view(work))
        except Exception as error:  # the chunks of the middle may be those that cannot be read
            notes.append(f"no picture of {work.path or 'the array'}: {type(error).__name__}: {error}")
            log.warning(notes[-1])
    return tuple(shown), tuple(notes)


def _view(work: Work) -> Picture:
    """The middle plane, no larger than a few chunks."""
    shape = work.regions.shape
    region = [slice(n // 2, n // 2 + 1) for n in shape[:-2]]
    for n, chunk in zip(shape[-2:], work.chunks[-2:], strict=True):
        edge = min(n, max(chunk, _EDGE))
        start = (n - edge) // 2
        region.append(slice(start, start + edge))
    assert work.reader is not None
    reader = work.reader.part(tuple(region)) or work.reader
    original, decoded = reader.read(tuple(region)), np.asarray(work.array[tuple(region)])
    plane = (1, 1, *original.shape)[-2:]
    return Picture(work.path, tuple(region), original.reshape(plane), decoded.reshape(plane))
