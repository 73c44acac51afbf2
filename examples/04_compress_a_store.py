"""Larger than memory, chunk by chunk, on dask's workers: python examples/04_compress_a_store.py [DIRECTORY].

Run it again, or stop it and run it again: it goes on where it was.
"""

import sys
from pathlib import Path

import zarr

import tinc_codec
from tinc_codec import TINCCodec
from tinc_codec.phantom import light_sheet


def main(folder: Path) -> None:
    raw = zarr.create_array(folder / "raw.zarr", data=light_sheet((64, 64, 64)), chunks=(32, 64, 64), overwrite=True)
    report = tinc_codec.compress(
        folder / "raw.zarr", folder / "small.zarr", TINCCodec(max_error=40, effort=1), workers=2
    )
    report.save(folder / "report.html")  # slices, a map of the quality of every chunk, a histogram
    small = zarr.open_array(folder / "small.zarr", mode="r")
    print(f"{report.ratio:.1f}x, largest error {abs(small[:].astype(int) - raw[:]).max()}")


if __name__ == "__main__":  # workers are processes that import this script
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
