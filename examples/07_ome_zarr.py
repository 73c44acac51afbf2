"""An OME-Zarr image in place, and its export for other readers: python examples/07_ome_zarr.py [DIRECTORY].

ome-zarr-py writes TINC itself where it is given storage_options={"compressor": TINCCodec(ratio=64)} for version 0.4, or
zarr_kwargs' serializer and compressors for version 0.5.
"""

import shutil
import sys
from pathlib import Path

import zarr

import tinc_codec
from tinc_codec import TINCCodec
from tinc_codec.phantom import light_sheet


def main(folder: Path) -> None:
    for name in ("image.zarr", "image.zarr.tinc", "plain.zarr", "plain.zarr.tinc"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "image.ome.tif").unlink(missing_ok=True)
    levels = [light_sheet((32, 64, 64))]
    levels.append(levels[0][::2, ::2, ::2])
    datasets = [
        {"path": str(k), "coordinateTransformations": [{"type": "scale", "scale": [2.0**k] * 3}]} for k in range(2)
    ]
    image = {"axes": [{"name": axis, "type": "space"} for axis in "zyx"], "datasets": datasets}
    group = zarr.create_group(folder / "image.zarr", attributes={"ome": {"version": "0.5", "multiscales": [image]}})
    for k, level in enumerate(levels):
        group.create_array(str(k), data=level, chunks=(16, 64, 64), dimension_names=["z", "y", "x"])

    # None: in place. At every moment a reader finds the old image or the new one, whole.
    codec = TINCCodec(max_error=40, effort=1)
    report = tinc_codec.compress(folder / "image.zarr", None, codec, pyramid="derived", workers=1, progress=False)
    print(f"{report.ratio:.1f}x, {report.plan.tasks} chunks, largest error {max(a.max_error for a in report.arrays):g}")

    tinc_codec.export(folder / "image.zarr", folder / "plain.zarr", "blosc", workers=1, progress=False)
    tinc_codec.export_tiff(folder / "image.zarr" / "0", folder / "image.ome.tif")
    same = zarr.open_group(folder / "plain.zarr", mode="r")["0"][:] == zarr.open_group(folder / "image.zarr")["0"][:]
    print(f"exported the same: {same.all()}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
