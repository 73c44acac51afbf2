"""A dataset with missing values: python examples/05_xarray.py [DIRECTORY]."""

import sys
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

from tinc_codec import TINCCodec, xarray_encoding
from tinc_codec.phantom import light_sheet

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-output")
warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")

volume = light_sheet((32, 64, 64)).astype("f4")
volume[:, :8] = np.nan  # what the microscope did not see
ds = xr.Dataset({"image": (("z", "y", "x"), volume)}, coords={"z": np.arange(32) * 2.5}).chunk(z=16)

codec = TINCCodec(max_error=40, effort=1)
ds.to_zarr(folder / "dataset.zarr", mode="w", zarr_format=3, encoding=xarray_encoding(ds, codec))

opened = xr.open_zarr(folder / "dataset.zarr")  # lazy; a plane decodes its own chunks
print(opened["image"].isel(z=5).mean().compute().item())
print(f"missing: {int(opened.image.isnull().sum())} of {int(ds.image.isnull().sum())}")
