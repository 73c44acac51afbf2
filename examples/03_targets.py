"""Say what must be kept: python examples/03_targets.py [DIRECTORY]."""

import sys
from pathlib import Path

import numpy as np
import zarr

from tinc_codec import TINCCodec, metrics, zarr_kwargs
from tinc_codec.phantom import light_sheet

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-output")
volume = light_sheet((32, 64, 64))
volume[:, :, :12] = 0  # where the microscope saw nothing

for name, codec in (
    ("ratio", TINCCodec(ratio=32, effort=1)),
    ("psnr", TINCCodec(psnr=45, effort=1)),
    ("bound", TINCCodec(max_error=25, exact_values=0, effort=1)),
    ("lossless", TINCCodec(max_error=0)),
):
    array = zarr.create_array(
        folder / f"{name}.zarr", data=volume, chunks=(32, 64, 64), overwrite=True, **zarr_kwargs(codec)
    )
    read = zarr.open_array(folder / f"{name}.zarr", mode="r")[:]
    print(
        f"{codec}: {array.nbytes / array.nbytes_stored():.1f}x, {metrics.psnr(volume, read, np.ptp(volume)):.1f} dB, "
        f"largest error {metrics.max_error(volume, read):g}, background kept: {(read[volume == 0] == 0).all()}"
    )
