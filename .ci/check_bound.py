"""Read a Zarr array with plain zarr and compare it with the original: check_bound.py STORE ORIGINAL.npy MAX_ERROR."""

import sys

import numpy as np
import zarr

store, original, bound = sys.argv[1], np.load(sys.argv[2], mmap_mode="r"), float(sys.argv[3])
array = zarr.open_array(store, mode="r")
if array.shape != original.shape or array.dtype != original.dtype:
    sys.exit(f"{array.shape} {array.dtype} is stored, {original.shape} {original.dtype} was given")
kind = np.float64 if array.dtype.kind == "f" or array.dtype.itemsize < 8 else object
finite = np.isfinite(original) if array.dtype.kind == "f" else np.ones(original.shape, bool)
got = array[...]
worst = np.abs(got[finite].astype(kind) - original[finite].astype(kind))
bad = int(np.count_nonzero(worst > bound)) + int(
    np.count_nonzero(got[~finite].tobytes() != original[~finite].tobytes())
)
if bad:
    sys.exit(f"{bad} of {original.size} voxels are off by more than {bound}, the worst by {worst.max()}")
print(f"no violation in {original.size} voxels: the worst is off by {worst.max(initial=0)}, {bound} is allowed")
