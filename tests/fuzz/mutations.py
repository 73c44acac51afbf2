"""Damage to streams: what a disk or a network does, and what somebody does who knows the checksum."""

import itertools

import google_crc32c
import numpy as np

from tinc_codec.stream.container import unpack
from tinc_codec.stream.fields import FieldWriter

EXTREMES = [0, 1, 2, 7, 63, 64, 127, 128, 255, 1024, 2047, 2048, 4096, 2**16, 2**18, 2**24, 2**31, 2**32, 2**40, 2**63]
"""Counts that decide about loops and memory."""

Rng = np.random.Generator


def sealed(body: bytes) -> bytes:
    """A stream from all but its checksum."""
    return body + int(google_crc32c.value(body)).to_bytes(4, "little")


def truncated(rng: Rng, stream: bytes) -> bytes:
    """Without its end."""
    return stream[: rng.integers(len(stream))]


def flipped(rng: Rng, stream: bytes) -> bytes:
    """With some bits the other way round, and so with a wrong checksum."""
    data = bytearray(stream)
    for bit in rng.choice(8 * len(data), rng.integers(1, 9), replace=False).tolist():
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def mutated(rng: Rng, stream: bytes, other: bytes) -> bytes:
    """Changed behind a right checksum: bytes, counts, whole sections (those of `other`, too)."""
    if rng.random() < 0.3:
        return sealed(bytes(_altered(rng, bytearray(stream[:-4]))))
    container, body = unpack(stream), stream[:-4]
    sections = dict(container.sections)
    head = _head(body, sections)
    if rng.random() < 0.2:
        sections |= dict(itertools.islice(unpack(other).sections.items(), int(rng.integers(1, 4))))
    if sections and rng.random() < 0.1:
        sections.pop(int(rng.choice(list(sections))))
    for kind in rng.permutation(list(sections))[: rng.integers(0, 3)].tolist():
        sections[kind] = bytes(_altered(rng, bytearray(sections[kind])))
    if rng.random() < 0.3:
        head = bytearray(head)
        head[rng.integers(4, len(head))] = rng.choice(EXTREMES[:9])
    return _assembled(bytes(head), sections)


def _head(body: bytes, sections: dict[int, bytes]) -> bytes:
    """What stands before the number of sections."""
    out = _sections(sections)
    assert body.endswith(out)
    return body[: len(body) - len(out)]


def _assembled(head: bytes, sections: dict[int, bytes]) -> bytes:
    return sealed(head + _sections(sections))


def _sections(sections: dict[int, bytes]) -> bytes:
    out = FieldWriter()
    out.number("B", len(sections))
    for kind, payload in sorted(sections.items()):
        out.number("B", kind)
        out.count(len(payload))
        out.raw(payload)
    return out.bytes()


def _altered(rng: Rng, data: bytearray) -> bytearray:
    """Bytes of which some are others, missing, doubled, or counts at the borders of what makes sense."""
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(data) + 1))
        match rng.integers(5):
            case 0 if at < len(data):
                data[at] = rng.integers(256)
            case 1 if at < len(data):
                data[at] ^= 1 << rng.integers(8)
            case 2:
                del data[at : at + int(rng.integers(1, 9))]
            case 3:
                data[at:at] = data[at : at + int(rng.integers(1, 9))]
            case _:
                count = FieldWriter()
                count.count(int(rng.choice(EXTREMES)) + int(rng.integers(-1, 2)) % 3)
                data[at : at + 1] = count.bytes()
    return data
