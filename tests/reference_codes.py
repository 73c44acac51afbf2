"""What the decoder written from FORMAT.md reads with: bytes, entropy coders, tables, stored arrays.

As in `tests.reference`: Python integers, and nothing of tinc_codec.
"""

import itertools
import struct

from numcodecs.zstd import Zstd

CODES = {1: "B", 2: "H", 3: "I", 4: "Q", 5: "b", 6: "h", 7: "i", 8: "q", 9: "e", 10: "f", 11: "d"}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        part = self.data[self.at : self.at + n]
        assert len(part) == n
        self.at += n
        return part

    def get(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def count(self):
        value = shift = 0
        while True:
            byte = self.get("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


class Range:
    def __init__(self, data):
        self.words = [w for (w,) in struct.iter_unpack("<I", data)]
        self.at, self.lower, self.range = 0, 0, 2**64 - 1
        self.point = self.word() << 32 | self.word()

    def word(self):
        self.at += 1
        return self.words[self.at - 1] if self.at <= len(self.words) else 0

    def symbol(self, frequencies):
        mask = 2**64 - 1
        scale = self.range >> 24
        quantile = ((self.point - self.lower) & mask) // scale
        assert quantile < 2**24
        below = 0
        for symbol, frequency in enumerate(frequencies):  # noqa: B007
            if quantile < below + frequency:
                break
            below += frequency
        self.lower = self.lower + scale * below & mask
        self.range = scale * frequency
        if self.range < 2**32:
            self.lower = self.lower << 32 & mask
            self.range = self.range << 32 & mask
            self.point = (self.point << 32 | self.word()) & mask
        return symbol

    def array(self, frequencies, number):
        return [self.symbol(frequencies) for _ in range(number)]

    def end(self):
        assert self.at >= len(self.words)
        assert self.range == 2**64 - 1 or (self.point - self.lower) % 2**64 < 2**33 - 1


class Lanes:
    def __init__(self, data):
        head = Bytes(data)
        lengths = [head.count() for _ in range(3)]
        words = [w for (w,) in struct.iter_unpack("<I", head.data[head.at :])]
        self.words, self.states = [], []
        for length in [*lengths, len(words) - sum(lengths)]:
            assert 0 <= length <= len(words)
            self.words.append(words[:length])
            words = words[length:]
            self.states.append(self.words[-1].pop() if length else 0)
            assert self.states[-1] or not length
            self.refill(len(self.states) - 1)

    def refill(self, lane):
        if self.states[lane] < 2**32 and self.words[lane]:
            self.states[lane] = (self.states[lane] << 32) + self.words[lane].pop()

    def array(self, frequencies, number):
        symbols = []
        for i in range(number):
            lane, below = i % 4, 0
            quantile = self.states[lane] % 2**24
            for symbol, frequency in enumerate(frequencies):  # noqa: B007
                if quantile < below + frequency:
                    break
                below += frequency
            symbols.append(symbol)
            self.states[lane] = (self.states[lane] >> 24) * frequency + quantile - below
            self.refill(lane)
        return symbols

    def end(self):
        assert not any(self.states)
        assert not any(self.words)


def frequencies(weights, rest):
    total = sum(weights)
    f = [1 + w * (2**24 - len(weights)) // total for w in weights]
    f[rest] += 2**24 - sum(f)
    return f


def laplace(t, largest):
    e = 5 + t // 16
    one = 2**62
    r = (2**e - 31 + t % 16) << 62 >> e
    q = r * r >> 62
    w = [one - r, (r * (one - q) >> 62) >> 1]
    while len(w) <= largest:
        w.append(w[-1] * q >> 62)
    w = w[: largest + 1]
    return frequencies(w[:0:-1] + w, largest)


def stored(data, count, code):
    method, payload = data[0], data[1:]
    size = struct.calcsize("<" + code)
    if method == 1:
        return [struct.unpack("<" + code, payload)[0]] * count
    if method == 3:
        from pcodec import standalone

        return standalone.simple_decompress(payload).tolist()
    if method == 2:
        shuffled = bytes(Zstd().decode(payload))
        payload = b"".join(shuffled[i::count] for i in range(count)) if count else b""
    assert len(payload) == size * count
    return [v for (v,) in struct.iter_unpack("<" + code, payload)]


def cast(x, code):
    return struct.unpack("<" + code, struct.pack("<" + code, x))[0]


def parities(d):
    every = [p for p in itertools.product((0, 1), repeat=d) if any(p)]
    return sorted(every, key=lambda p: (sum(p), tuple(1 - bit for bit in p)))
