"""Look at what was kept, without the original: python examples/02_quality.py [DIRECTORY] (after 01_zarr.py)."""

import sys
from pathlib import Path

from tinc_codec import inspect, stored_chunks

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "example-output")

for key, stream in stored_chunks(folder):
    info = inspect(stream)
    print(f"{key}: {info.ratio:.0f}x, {info.bits_per_parameter:.1f} bits a weight, {info.quality.psnr:.1f} dB")
