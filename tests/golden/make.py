"""How the golden streams were made; run once for each format version, by hand, before the version was released.

A stream that exists is never written again: later versions add files of their own.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from tests.models import in_lanes, random_detail, random_residual, random_stream
from tinc_codec import TINCCodec, decode
from tinc_codec.decoding.inspect import inspect
from tinc_codec.detail import exact_in_context, reference
from tinc_codec.phantom import light_sheet
from tinc_codec.stream.container import Container, Section, pack, unpack

FOLDER = Path(__file__).parent


def wave(shape):
    axes = np.meshgrid(*(np.linspace(0, 2, n) for n in shape), indexing="ij")
    return np.sin(3 * sum(axes)) * np.cos(2 * axes[-1])


def noise(*shape):
    return np.random.default_rng(9).normal(0, 1, shape)


def rounded(volume):
    return np.rint(volume + 3 * noise(*volume.shape)).astype("f4")


def version_1():
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


def version_2():
    rng = np.random.default_rng(8)
    bounded = TINCCodec(max_error=12, effort=1)
    yield "bounded-u2-big-endian-fortran", bounded.encode(np.asfortranarray(light_sheet((17, 18, 19), seed=2), ">u2"))
    yield "lossless-i1-1d", TINCCodec(max_error=0).encode((100 * wave((3000,)) + rng.normal(0, 2, 3000)).astype("i1"))
    holes = (wave((60, 70)) + rng.normal(0, 0.02, (60, 70))).astype("f4")
    holes[5:12, 30:] = np.nan
    holes[20:30, :9] = 0
    yield "bounded-f4-exact-values", TINCCodec(max_error=0.05, exact_values=0).encode(holes)
    between = np.rint(100 * wave((24, 30, 20)) + noise(24, 30, 20)).astype("i2")
    corrected = TINCCodec(max_error=4, exact_values=[0, 50]).encode(between)
    assert "corrections" in inspect(corrected).sections
    yield "corrections", corrected
    yield "lossless-f4-even", TINCCodec(max_error=0).encode(rounded(400 * wave((16, 20, 20))) / 8)
    yield "bounded-i8-wide", TINCCodec(max_error=2.0**50).encode((2.0**62 * wave((14, 15, 16))).astype("i8"))
    yield "bounded-f2", TINCCodec(max_error=0.01).encode(wave((40, 50)).astype("f2"))
    yield "psnr-f8-4d", TINCCodec(psnr=45, effort=1).encode(1e-20 * wave((3, 8, 16, 17)))
    yield "cropped", bounded.encode(np.pad(light_sheet((16, 24, 20), seed=5), [(0, 0), (0, 16), (0, 9)]))
    z, y, x = np.indices((40, 64, 64)) / 10.0
    clean = 2000 + 600 * np.sin(y + np.sin(z)) * np.cos(x)
    network = TINCCodec(max_error=180, effort=1).encode((clean + 60 * noise(*clean.shape)).astype("u2"))
    assert inspect(network).kind == "sine tree and residual"
    yield "network-and-residual", network
    walk = np.cumsum(rng.integers(-(2**40), 2**41, 700))
    yield "lossless-pcodec", TINCCodec(max_error=0).encode(walk)
    yield "random-bits", random_residual(rng, (9, 16, 17), "f4", "C", 1)[0]
    for number, (shape, dtype) in enumerate(
        [((33,), "u1"), ((15, 31), ">u4"), ((9, 16, 17), "u8"), ((2, 15, 3, 16), "f2"), ((2, 2, 1, 3, 16), ">f8")]
    ):
        options = {"model": number != 1, "exact": number > 1, "crop": number in (2, 4)}
        yield f"random-{number}", random_residual(rng, shape, dtype, "CF"[number % 2], 1 + 2 * number, **options)[0]


def version_3():
    codec = TINCCodec(ratio=16, effort=2)
    yield "trained-u2", in_lanes(codec.encode(light_sheet((16, 24, 20), seed=1)))
    low = (light_sheet((17, 18, 19), seed=2) >> 4).astype("u1")
    yield "trained-u1-fortran", in_lanes(codec.encode(np.asfortranarray(low)))
    yield "trained-f4-2d", in_lanes(codec.encode(wave((50, 61)).astype("f4")))
    uneven = light_sheet((16, 64, 64), seed=3)
    uneven[:, 32:] = 7
    classes = TINCCodec(ratio=64, effort=2, levels=3, intra_level="variance", constant_tolerance=0.02)
    yield "trained-classes-and-constants", in_lanes(classes.encode(uneven))
    z, y, x = np.indices((40, 64, 64)) / 10.0
    clean = 2000 + 600 * np.sin(y + np.sin(z)) * np.cos(x)
    network = TINCCodec(max_error=180, effort=1).encode((clean + 60 * noise(*clean.shape)).astype("u2"))
    assert inspect(network).kind == "sine tree and residual"
    yield "network-and-residual", in_lanes(network)
    rng = np.random.default_rng(10)
    for number, (shape, dtype) in enumerate(
        [((33,), "u1"), ((15, 31), ">u4"), ((9, 16, 17), "u8"), ((2, 15, 3, 16), "f2"), ((2, 2, 1, 3, 16), ">f8")]
    ):
        options = {"lanes": True, "levels": 3, "empty": 0.1}
        yield f"random-{number}", random_stream(rng, shape, dtype, "CF"[number % 2], **options)


def ball(shape):
    squares = [((i - n / 2) / (n / 3)) ** 2 for i, n in zip(np.indices(shape), shape, strict=True)]
    return sum(squares) + 0.05 * noise(*shape) < 1


def in_context(stream, array, mask):
    """The same chunk, with its exact values in context, however few bytes the other way takes."""
    container = unpack(bytes(stream))
    rest = {kind: data for kind, data in container.sections.items() if kind != Section.EXACT}
    exact = {Section.EXACT_IN_CONTEXT: exact_in_context.pack(array, mask, reference)}
    return pack(Container(container.header, rest | exact))


def version_4():
    codec = TINCCodec(ratio=16, network_share=0)
    yield "detail-u2", codec.encode(light_sheet((16, 24, 20), seed=1))
    yield "detail-u2-big-endian-fortran", codec.encode(np.asfortranarray(light_sheet((17, 18, 19), seed=2), ">u2"))
    yield "detail-f8-4d", TINCCodec(psnr=40, network_share=0).encode(1e-20 * wave((3, 8, 9, 10)))
    yield "detail-pieces", codec.encode(light_sheet((3, 210, 10), seed=4))
    holes = (wave((9, 20, 22)) + 0.05 * noise(9, 20, 22)).astype("f4")
    holes[ball(holes.shape)] = np.nan
    holes[0, 0, 0] = -np.inf
    yield "detail-f4-not-finite", codec.encode(holes)
    black = np.rint(500 + 300 * wave((14, 16, 15)) + 20 * noise(14, 16, 15)).astype("i2")
    black[ball(black.shape)] = 0
    yield "detail-i2-hole", TINCCodec(ratio=16, network_share=0, exact_values=0).encode(black)
    line = (wave((8600,)) + 0.05 * noise(8600)).astype("f4")
    line[np.sin(np.arange(8600) / 70) + 0.3 * noise(8600) > 0.4] = np.nan
    yield "detail-f4-1d-mask-in-parts", in_context(codec.encode(line), line, np.isnan(line))
    mixed = TINCCodec(ratio=8, network_share=0.5, effort=1).encode(
        (light_sheet((16, 20, 18), seed=6) >> 4).astype("u1")
    )
    assert inspect(mixed).kind == "sine tree and detail"
    yield "network-and-detail-u1", mixed
    rng = np.random.default_rng(11)
    for number, (shape, dtype, parts) in enumerate(
        [
            ((33,), "u1", ("residual",)),
            ((15, 31), ">u4", ("exact",)),
            ((9, 8, 11), "u8", ("above", "exact", "crop")),
            ((2, 9, 3, 10), "f2", ("residual", "exact")),
            ((2, 2, 1, 3, 16), ">f8", ("above",)),
        ]
    ):
        yield f"random-{number}", random_detail(rng, shape, dtype, "CF"[number % 2], **dict.fromkeys(parts, True))


def streams():
    yield from ((f"v1-{name}", data) for name, data in version_1())
    yield from ((f"v2-{name}", data) for name, data in version_2())
    yield from ((f"v3-{name}", data) for name, data in version_3())
    yield from ((f"v4-{name}", data) for name, data in version_4())


def main():
    file = FOLDER / "manifest.json"
    manifest = json.loads(file.read_text()) if file.exists() else {}
    for name, data in streams():
        path = FOLDER / f"{name}.tinc"
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
