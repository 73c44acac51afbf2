"""Open what the others wrote, on a machine without torch: python examples/08_without_torch.py [DIRECTORY].

This is all that a colleague needs: pip install tinc-codec, and zarr.
"""

import sys
from pathlib import Path

sys.modules["torch"] = None  # as if it were not installed: an import of it fails

import zarr  # noqa: E402

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-output")
for store in sorted(folder.glob("*.zarr")):
    node = zarr.open(store, mode="r")
    arrays = [("", node)] if isinstance(node, zarr.Array) else list(node.arrays())
    for name, array in arrays:
        print(f"{store.name}/{name}: {array.shape} {array.dtype}, first voxels {array[...].ravel()[:4]}")
