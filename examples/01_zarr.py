"""Compress a volume into a Zarr array, and open it as any Zarr array. Run: python examples/01_zarr.py [DIRECTORY]."""

import sys
from pathlib import Path

import numpy as np
import zarr

from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.phantom import light_sheet

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-output")
volume = light_sheet((32, 64, 64), seed=1)  # Z, Y, X, uint16

for zarr_format in (2, 3):
    codec = TINCCodec(ratio=32, effort=3)
    store = folder / f"zarr{zarr_format}.zarr"
    zarr.create_array(
        store, data=volume, chunks=(32, 64, 64), overwrite=True, **zarr_kwargs(codec, zarr_format=zarr_format)
    )

    opened = zarr.open(store, mode="r")  # the reader needs tinc-codec installed, but names nothing of it
    error = opened[:].astype(float) - volume
    print(f"format {zarr_format}: {opened.nbytes / opened.nbytes_stored():.0f}x, RMSE {np.sqrt(np.mean(error**2)):.1f}")
