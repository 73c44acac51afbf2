"""A microscope's TIFF becomes a compressed OME-Zarr image that anything opens: python examples/10_from_a_microscope.py.

Give a directory as well, if not "example-output". Every step says what it does and shows what came out.
"""

import shutil
import sys
from pathlib import Path

import dask.array
import numpy as np
import tifffile
import xarray as xr
import zarr

import tinc_codec
from tinc_codec import TINCCodec, noise, open_multiscale
from tinc_codec.phantom import light_sheet


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("stack.zarr", "stack.zarr.tinc"):
        shutil.rmtree(folder / name, ignore_errors=True)

    # 1. What the microscope wrote: here a phantom, with voxels of 2 x 0.5 x 0.5 micrometres.
    raw = light_sheet((48, 128, 128))
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 2.0, "PhysicalSizeY": 0.5, "PhysicalSizeX": 0.5}
    metadata |= {f"PhysicalSize{axis}Unit": "µm" for axis in "ZYX"}
    tifffile.imwrite(folder / "stack.ome.tif", raw, ome=True, metadata=metadata)

    # 2. How much of it is noise? `tinc suggest stack.ome.tif` says it with blobs, segments, sizes and times.
    sigma = noise(raw)
    codec = TINCCodec(max_error=2 * sigma)
    print(f"noise {sigma:.1f} grey levels: no voxel will be off by more than {2 * sigma:.1f}")

    # 3. Compress: chunk by chunk on dask's workers, each read back and compared before the job ends.
    report = tinc_codec.compress(
        folder / "stack.ome.tif", folder / "stack.zarr", codec, pyramid="derived", workers=1, progress=False
    )
    largest = max(array.max_error for array in report.arrays)
    print(f"{report.ratio:.1f}x smaller, {report.arrays[0].psnr:.1f} dB, largest error {largest:g}")

    # 4. Whoever reads needs one line; axes and voxel sizes came along.
    group = zarr.open_group(folder / "stack.zarr", mode="r")
    image, finest = group.attrs["ome"]["multiscales"][0], group["0"]
    axes = [axis["name"] for axis in image["axes"]]
    scale = image["datasets"][0]["coordinateTransformations"][0]["scale"]
    print(f"{finest.shape} {finest.dtype}, voxels of {dict(zip(axes, scale, strict=True))} micrometres")

    # 5. Lazily, in xarray: only the plane that is asked for is decoded.
    volume = xr.DataArray(dask.array.from_zarr(finest), dims=axes, coords={"z": scale[0] * np.arange(finest.shape[0])})
    print(f"mean at 48 micrometres: {float(volume.sel(z=48).mean()):.1f}")

    # 6. A pyramid for napari, add_image(pyramid, multiscale=True): dask arrays, read as they are looked at.
    pyramid = open_multiscale(finest, levels=3)
    print("levels:", [level.shape for level in pyramid])

    # 7. A browser, or a reader that has never heard of TINC: tinc serve stack.zarr
    print(f"look at it: tinc serve {folder / 'stack.zarr'}")


if __name__ == "__main__":  # workers are processes that import this script
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
