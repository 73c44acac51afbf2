"""Frames of Zstandard as they are stored here: one of them, of a size that is known before (RFC 8878, 3.1.1)."""

from __future__ import annotations

from numcodecs.zstd import Zstd

from tinc_codec.errors import CorruptStreamError

_MAGIC = bytes.fromhex("28b52ffd")
_RESERVED, _CHECKSUM, _SINGLE = 8, 4, 32
_RLE, _RESERVED_BLOCK = 1, 3


def compress(data: bytes, level: int) -> bytes:
    """One frame that says how many bytes it holds."""
    return bytes(Zstd(level=level).encode(data))


def decompress(frame: bytes, size: int) -> bytes:
    """The `size` bytes of a frame; nothing is decompressed from one that says another size, or is not alone.

    Raises
    ------
    CorruptStreamError
        It is not one frame of that size.
    """
    claimed = _content_size(frame)
    if claimed != size:
        raise CorruptStreamError(f"{size} bytes are stored as a Zstandard frame that says it holds {claimed}")
    try:
        data = bytes(Zstd().decode(frame))
    except (RuntimeError, ValueError) as error:
        raise CorruptStreamError(f"exactly stored values do not decompress: {error}") from error
    if len(data) != size:
        raise CorruptStreamError(f"{size} bytes are stored as a Zstandard frame that holds {len(data)}")
    return data


def _content_size(frame: bytes) -> int | None:
    """What a frame says that it holds; None where it does not, or where the bytes are not one frame."""
    if len(frame) < 5 or not frame.startswith(_MAGIC) or frame[4] & _RESERVED:
        return None
    descriptor, begin = frame[4], 5
    begin += not descriptor & _SINGLE  # the window
    begin += (0, 1, 2, 4)[descriptor & 3]  # the dictionary
    flag = descriptor >> 6
    width = 1 << flag if flag or descriptor & _SINGLE else 0
    content, begin = frame[begin : begin + width], begin + width
    if not width or len(content) < width or _end(frame, begin, bool(descriptor & _CHECKSUM)) != len(frame):
        return None
    return int.from_bytes(content, "little") + (256 if width == 2 else 0)


def _end(frame: bytes, at: int, checksum: bool) -> int:
    """Where the blocks of a frame end that begin at `at`, and its checksum; -1: nowhere."""
    last = False
    while not last:
        header = int.from_bytes(frame[at : at + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        if at + 3 > len(frame) or kind == _RESERVED_BLOCK:
            return -1
        at += 3 + (1 if kind == _RLE else size)
    return at + 4 * checksum
