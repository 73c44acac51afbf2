"""From dask and to dask, with any dask cluster: python examples/06_dask.py [DIRECTORY]."""

import sys
from pathlib import Path

import dask.array as da
from distributed import Client

import tinc_codec
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.phantom import light_sheet


def main(folder: Path) -> None:
    lazy = da.from_array(light_sheet((32, 64, 64)), chunks=(16, 64, 64)) * 2  # whatever dask can compute
    codec = TINCCodec(max_error=60, effort=1)

    # Dask writes the chunks itself, one for each block; it makes the array in a group, which has the Zarr format.
    keywords = {key: value for key, value in zarr_kwargs(codec).items() if key != "zarr_format"}
    lazy.to_zarr(str(folder / "stored.zarr"), mode="w", **keywords)

    # Or as a job, with a ledger, on the workers of a cluster: an address, dask-cuda's, dask-jobqueue's, ...
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
        report = tinc_codec.compress(lazy, folder / "job.zarr", codec, client=client, progress=False)

    back = da.from_zarr(folder / "job.zarr")  # lazy
    print(f"{report.ratio:.1f}x; {back}, mean of a plane {back[3].mean().compute():.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
