"""Read only what is needed, at the resolution that is needed: python examples/09_parts_and_levels.py [DIRECTORY]."""

import sys
from pathlib import Path

import numpy as np
import zarr

import tinc_codec
from tinc_codec import TINCCodec, stored_chunks, zarr_kwargs
from tinc_codec.phantom import light_sheet


def main(folder: Path) -> None:
    volume = light_sheet((64, 128, 128))
    place = folder / "levels.zarr"
    codec = TINCCodec(ratio=64, effort=1)
    zarr.create_array(place, data=volume, chunks=(64, 64, 64), overwrite=True, **zarr_kwargs(codec))

    array = zarr.open_array(place, mode="r")
    print("one plane:", array[20].shape, "every third row of it:", array[20, ::3].shape)
    print("single voxels:", array.vindex[[1, 2, 60], [5, 70, 100], [9, 9, 127]])

    # Coarser levels come from the stored chunks alone. In napari: viewer.add_image(pyramid, multiscale=True)
    pyramid = tinc_codec.open_multiscale(place, levels=4)
    print("levels:", [level.shape for level in pyramid], "mean at 1/8:", round(float(pyramid[3].mean().compute()), 1))

    # The same as an OME-Zarr image for readers that know no TINC; its chunks are made when they are read.
    image = pyramid.view()
    print("view:", [dataset["path"] for dataset in image.attrs["ome"]["multiscales"][0]["datasets"]], image["2"])

    # Between the voxels: an oblique plane through one chunk.
    stream = next(data for _, data in stored_chunks(place))
    u, v = np.meshgrid(np.linspace(2, 60, 100), np.linspace(2, 60, 100), indexing="ij")
    oblique = tinc_codec.sample(stream, np.stack([10 + 0.7 * u, u, v]))
    print("oblique plane:", oblique.shape, oblique.dtype, int(oblique.max()))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
