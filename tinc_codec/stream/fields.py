"""Reading and writing the stream's fields: little-endian numbers and LEB128 counts."""

from __future__ import annotations

import struct
from typing import NoReturn

from tinc_codec.errors import CorruptStreamError

_REALS = {code: struct.Struct("<" + code) for code in "fd"}


class FieldWriter:
    """Collects fields into bytes."""

    def __init__(self) -> None:
        self._parts = bytearray()

    def number(self, code: str, value: float) -> None:
        """Append one number, `code` as in `struct`."""
        self._parts += struct.pack("<" + code, value)

    def count(self, value: int) -> None:
        """Append a non-negative integer as unsigned LEB128."""
        if value < 0:
            raise ValueError(f"a count cannot be negative: {value}")
        while value > 127:
            self._parts.append(value & 127 | 128)
            value >>= 7
        self._parts.append(value)

    def raw(self, data: bytes) -> None:
        """Append bytes as they are."""
        self._parts += data

    def bytes(self) -> bytes:
        """Everything so far."""
        return bytes(self._parts)


class FieldReader:
    """Takes fields off bytes, in order; running past the end is a `CorruptStreamError`."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._position = 0
        self._what = what

    @property
    def remaining(self) -> int:
        """Number of bytes not yet taken."""
        return len(self._data) - self._position

    def raw(self, size: int) -> bytes:
        """Take `size` bytes."""
        if size > self.remaining:
            raise CorruptStreamError(f"{self._what} ends early: {size} bytes wanted, {self.remaining} left")
        start, self._position = self._position, self._position + size
        return self._data[start : self._position]

    def ahead(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are, which are not taken yet."""
        return self._data[self._position : self._position + size]

    def byte(self) -> int:
        """Take one byte."""
        if self._position == len(self._data):
            raise CorruptStreamError(f"{self._what} ends early: 1 byte wanted, 0 left")
        self._position += 1
        return self._data[self._position - 1]

    def real(self, code: str) -> float:
        """Take one float, `code` as in `struct`."""
        number = _REALS[code]
        return float(number.unpack(self.raw(number.size))[0])

    def count(self, limit: int) -> int:
        """Take an unsigned LEB128 integer of at most `limit`."""
        value = self.byte()
        if value > 127:
            value &= 127
            for shift in range(7, 70, 7):
                byte = self.byte()
                value |= (byte & 127) << shift
                if byte < 128:
                    break
            else:
                raise CorruptStreamError(f"{self._what}: a count is longer than 10 bytes")
        if value > limit:
            raise CorruptStreamError(f"{self._what}: {value} where at most {limit} makes sense")
        return value

    def fail(self, message: str) -> NoReturn:
        """Raise `CorruptStreamError` with `message`."""
        raise CorruptStreamError(f"{self._what}: {message}")

    def end(self) -> None:
        """Raise unless everything has been taken."""
        if self.remaining:
            raise CorruptStreamError(f"{self._what} has {self.remaining} bytes too many")
