"""Write stores with torch, or read them and the golden streams without: the bytes must be the same."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import zarr

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"


def digest(array):
    """SHA-256 of an array's bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def write(folder):
    """Write a store for every format, dtype and order, and their digests."""
    from tinc_codec import TINCCodec, zarr_kwargs
    from tinc_codec.phantom import light_sheet

    volume = light_sheet((40, 48, 56), seed=7)
    codec = TINCCodec(ratio=32, effort=1, levels=2)
    manifest = {}
    bounded = {"bounded": {"max_error": 9}, "lossless": {"max_error": 0}, "psnr": {"psnr": 45}}
    for name, target in bounded.items():
        for zarr_format in (2, 3):
            store = f"{zarr_format}-{name}.zarr"
            arguments = zarr_kwargs(TINCCodec(effort=1, **target), zarr_format=zarr_format)
            zarr.create_array(folder / store, data=volume, chunks=(32, 32, 32), overwrite=True, **arguments)
            manifest[store] = digest(zarr.open(folder / store, mode="r")[:])
    np.save(folder / "original.npy", volume)
    for zarr_format in (2, 3):
        for dtype in ("<u2", ">u2", "<f4", "u1"):
            for order in "CF":
                data = np.array(np.minimum(volume, 255) if dtype == "u1" else volume, dtype)
                name = f"{zarr_format}-{dtype.strip('<>')}-{'big' if '>' in dtype else 'little'}-{order}.zarr"
                settings = {"order": order} if zarr_format == 2 else {"config": {"order": order}}
                settings |= zarr_kwargs(codec, zarr_format=zarr_format)
                chunks = {"chunks": (40, 48, 28)}
                if zarr_format == 3 and order == "F":
                    chunks = {"chunks": (20, 48, 28), "shards": (40, 48, 56)}
                zarr.create_array(folder / name, data=data, overwrite=True, **chunks, **settings)
                manifest[name] = digest(zarr.open(folder / name, mode="r")[:])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    print(f"wrote {len(manifest)} stores with zarr {zarr.__version__}")


def read(folder):
    """Read the stores with plain zarr, then the golden streams, and compare digests."""
    assert importlib.util.find_spec("torch") is None, "this environment was to have no torch"
    stores = json.loads((folder / "manifest.json").read_text())
    for name, expected in stores.items():
        assert digest(zarr.open(folder / name, mode="r")[:]) == expected, name
    # after plain zarr has read without it being named, the codec itself
    from tinc_codec import decode

    golden = json.loads((GOLDEN / "manifest.json").read_text())
    for name, expected in golden.items():
        array = decode((GOLDEN / name).read_bytes())
        assert hashlib.sha256(array.tobytes(order="C")).hexdigest() == expected["sha256"], name
        assert array.dtype.str == expected["dtype"], name
    print(f"read {len(stores)} stores and {len(golden)} golden streams with zarr {zarr.__version__}, without torch")


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
