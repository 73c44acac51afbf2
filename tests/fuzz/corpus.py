"""Small streams of every kind, to begin from: ``python -m tests.fuzz.corpus FOLDER`` writes one file for each."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.models import random_detail, random_residual, random_stream
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.stream import lossless
from tinc_codec.stream.container import Container, Header, ModelKind, Section, pack, unpack
from tinc_codec.stream.crop import pack as pack_crop
from tinc_codec.stream.exact import pack as pack_exact

TREES = [((33,), "u1"), ((15, 31), ">u4"), ((9, 16, 17), "u8"), ((2, 15, 3, 16), "f2"), ((16, 16, 16), "<f4")]
RESIDUALS = [
    ((40,), "u2", (True, False, False)),
    ((12, 14), ">i4", (False, True, False)),
    ((6, 9, 8), "f4", (True, True, True)),
    ((8, 8, 8), "u8", (False, False, True)),
    ((3, 4, 5, 6), "f8", (False, True, False)),
]

DETAILS = [
    ((70,), "u1", ()),
    ((30, 22), ">i2", ("exact",)),
    ((16, 12, 14), "f4", ("above",)),
    ((9, 16, 17), "u2", ("residual", "crop")),
    ((2, 9, 8, 11), "i8", ("above", "exact", "residual")),
]


def streams() -> Iterator[tuple[str, bytes]]:
    """Names and streams, the same at every call."""
    rng = np.random.default_rng(17)
    for number, (shape, dtype) in enumerate(TREES):
        for lanes in (False, True):
            stream = random_stream(rng, shape, dtype, "CF"[number % 2], lanes, empty=0.1 * number)
            yield f"tree-{number}-{'lanes' if lanes else 'words'}", stream
    yield "tree-corrected", _corrected(random_stream(rng, (12, 13), "i2"))
    for number, (shape, dtype, (model, exact, crop)) in enumerate(RESIDUALS):
        for width in (1, 9):
            stream, _ = random_residual(rng, shape, dtype, "CF"[number % 2], width, model, exact, crop)
            yield f"residual-{number}-{width}", stream
    for number, (shape, dtype, parts) in enumerate(DETAILS):
        yield f"detail-{number}", random_detail(rng, shape, dtype, "CF"[number % 2], **dict.fromkeys(parts, True))
    yield from _stored()


def _corrected(stream: bytes) -> bytes:
    """The same chunk, some of whose samples are corrected."""
    container = unpack(stream)
    samples = Chunk(container).whole().copy()
    mask = np.random.default_rng(3).random(samples.shape) < 0.1
    samples[mask] = 7
    return pack(Container(container.header, {**container.sections, Section.CORRECTIONS: pack_exact(samples, mask)}))


def _stored() -> Iterator[tuple[str, bytes]]:
    """Chunks that are stored losslessly, by each method."""
    rng = np.random.default_rng(4)
    arrays = {
        "raw": np.arange(6, dtype="i2").reshape(2, 3),
        "repeat": np.full((8, 8, 8), 7, "u4"),
        "zstd": np.pad(np.arange(40.0), (0, 400)).reshape(11, 40),
        "pcodec": np.cumsum(rng.integers(0, 60, 3000)).astype("u4").reshape(30, 100),
        "scalar": np.array(2.5, "f2"),
        "empty": np.zeros((3, 0, 5), "u1"),
    }
    for name, array in arrays.items():
        payload = lossless.pack(array, newest=name == "pcodec")
        version = 2 if payload[0] == lossless.Method.PCODEC else 1
        header = Header(array.shape, array.dtype, "C", ModelKind.NONE, True, version)
        yield f"stored-{name}", pack(Container(header, {Section.LOSSLESS: payload}))
    kept = np.arange(60, dtype="u2").reshape(3, 4, 5)
    sections = {Section.LOSSLESS: lossless.pack(kept), Section.CROP: pack_crop(kept.shape, np.array([3], "u2"))}
    yield "stored-cropped", pack(Container(Header((9, 8, 7), kept.dtype, "F", ModelKind.NONE, True), sections))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, stream in streams():
        (folder / f"{name}.tinc").write_bytes(stream)
