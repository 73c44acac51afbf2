"""How the golden streams of format version 1 were made; run once, by hand, before the version was released.

A stream that exists is never written again: later versions add files of their own.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from tests.models import random_stream
from tinc_codec import TINCCodec, decode
from tinc_codec.phantom import light_sheet

FOLDER = Path(__file__).parent


def wave(shape):
    axes = np.meshgrid(*(np.linspace(0, 2, n) for n in shape), indexing="ij")
    return np.sin(3 * sum(axes)) * np.cos(2 * axes[-1])


def streams():
    codec = TINCCodec(ratio=16, effort=2)
    yield "trained-u2", codec.encode(light_sheet((16, 24, 20), seed=1))
    yield "trained-u2-big-endian-fortran", codec.encode(np.asfortranarray(light_sheet((17, 18, 19), seed=2), ">u2"))
    yield "trained-i1-1d", codec.encode((100 * wave((3000,))).astype("i1"))
    yield "trained-f4-2d", codec.encode(wave((50, 61)).astype("f4"))
    yield "trained-f8-4d", codec.encode(1e-20 * wave((3, 8, 16, 17)))
    yield "trained-i8", codec.encode((1e18 * wave((16, 16, 16))).astype("i8"))
    uneven = light_sheet((16, 64, 64), seed=3)
    uneven[:, 32:] = 7
    classes = TINCCodec(ratio=64, effort=2, levels=3, intra_level="variance", constant_tolerance=0.02)
    yield "trained-classes-and-constants", classes.encode(uneven)
    holes = wave((40, 44)).astype("f4")
    holes[5:12, 30:] = np.nan
    holes[0, 0] = -np.inf
    yield "trained-f4-not-finite", codec.encode(holes)
    yield "lossless-repeat", codec.encode(np.full((3, 1, 5), 9, "<u4"))
    yield "lossless-raw", codec.encode(np.arange(6, dtype=">i2").reshape(2, 3))
    yield "lossless-zstd", codec.encode(np.pad(np.arange(5.0), (0, 3000)))
    yield "lossless-scalar", codec.encode(np.array(2.5, "f2"))
    rng = np.random.default_rng(7)
    for number, (shape, dtype) in enumerate(
        [((33,), "u1"), ((15, 31), ">u4"), ((9, 16, 17), "u8"), ((2, 15, 3, 16), "f2"), ((2, 2, 1, 3, 16), ">f8")]
    ):
        yield f"random-{number}", random_stream(rng, shape, dtype, order="CF"[number % 2], levels=3, empty=0.1)


def main():
    file = FOLDER / "manifest.json"
    manifest = json.loads(file.read_text()) if file.exists() else {}
    for name, data in streams():
        path = FOLDER / f"v1-{name}.tinc"
        if path.exists():
            continue
        path.write_bytes(data)
        array = decode(data)
        manifest[path.name] = {
            "shape": list(array.shape),
            "dtype": array.dtype.str,
            "order": "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C",
            "sha256": hashlib.sha256(array.tobytes(order="C")).hexdigest(),
        }
    file.write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
