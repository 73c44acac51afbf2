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


def parts(store):
    """Bytes of parts of an array, as one digest: what is asked for must not depend on who decodes it."""
    array = zarr.open(store, mode="r")
    z, y, x = array.shape
    answers = [
        array[3],
        array[::3, 1 : y - 2 : 5, x // 2],
        array[z // 2 - 1, y // 2, x - 1],
        array[z // 2 - 3 : z // 2 + 3, y // 2 - 8 : y // 2 + 8, 4:20],
        array.oindex[[0, z - 1, 5], :, [2, 30]],
        array.vindex[[0, z - 1, 7, 7], [3, y - 1, 9, 9], [x - 1, 0, 11, 12]],
        array.vindex[np.arange(z * y * x).reshape(z, y, x) % 997 == 0],
    ]
    return digest(np.concatenate([np.ravel(answer) for answer in answers]))


def coarser(store):
    """Digest of an array at half its resolution."""
    from tinc_codec.hosts.zarr_levels import LevelArray

    array = zarr.open(store, mode="r")
    return digest(LevelArray(array, (1, 1, 1))[...])


def pipelines():
    """Every codec pipeline that this zarr has."""
    names = ["BatchedCodecPipeline", "FusedCodecPipeline"]
    return [f"zarr.core.codec_pipeline.{n}" for n in names if hasattr(zarr.core.codec_pipeline, n)]


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
    for store in list(manifest):
        manifest[store] = [manifest[store], parts(folder / store), coarser(folder / store)]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    print(f"wrote {len(manifest)} stores with zarr {zarr.__version__}")


def read(folder):
    """Read the stores with plain zarr, then the golden streams, and compare digests."""
    assert importlib.util.find_spec("torch") is None, "this environment was to have no torch"
    stores = json.loads((folder / "manifest.json").read_text())
    for pipeline in pipelines():
        zarr.config.set({"codec_pipeline.path": pipeline})
        for name, (whole, part, _) in stores.items():
            assert digest(zarr.open(folder / name, mode="r")[:]) == whole, (name, pipeline)
            assert parts(folder / name) == part, (name, pipeline)
    # after plain zarr has read without it being named, the codec itself
    from tinc_codec import decode
    from tinc_codec.backends.choice import backend_name

    for name, (_, _, level) in stores.items():
        assert coarser(folder / name) == level, name
    golden = json.loads((GOLDEN / "manifest.json").read_text())
    for name, expected in golden.items():
        array = decode((GOLDEN / name).read_bytes())
        assert hashlib.sha256(array.tobytes(order="C")).hexdigest() == expected["sha256"], name
        assert array.dtype.str == expected["dtype"], name
    decoder = backend_name()
    print(
        f"read {len(stores)} stores, whole, in parts and coarser, through {', '.join(pipelines())}, and {len(golden)} "
        f"golden streams with zarr {zarr.__version__} and {decoder}, without torch"
    )


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
