"""Run by hand where there is a GPU: python tests/gpu/check.py [OUT.json].

Networks are trained on the GPU, and decoded by NumPy, by numba and on the GPU: the bytes must be the same. Then MB/s of
raw data, decoding: batches of chunks through `decode_batch` on the GPU, and the same through numba; medians of 5.
"""

import json
import statistics
import sys
import time

import numpy as np
import torch

from tests.models import random_residual, random_stream
from tinc_codec import TINCCodec, decode, decode_batch, set_process
from tinc_codec.phantom import light_sheet

GPU = "cuda:0"


def same(streams, figures):
    """Digest-free comparison of every decoder's bytes; raises AssertionError where they differ."""
    tensors = [tensor.cpu().numpy() for tensor in decode_batch(streams, GPU)]
    for decoder in ("numpy", "numba"):
        set_process(decoder=decoder)
        for stream, tensor in zip(streams, tensors, strict=True):
            array = decode(stream)
            assert array.astype(array.dtype.newbyteorder("=")).tobytes(order="C") == tensor.tobytes(), decoder
    set_process(device=GPU)
    for stream, tensor in zip(streams, tensors, strict=True):
        array = decode(stream)
        assert array.astype(array.dtype.newbyteorder("=")).tobytes(order="C") == tensor.tobytes(), "through decode"
    set_process()
    figures["streams of the same bytes"] = figures.get("streams of the same bytes", 0) + len(streams)


def random_ones():
    """Streams of every dtype, with and without residuals."""
    rng = np.random.default_rng(0)
    for dtype in ("u1", "<u2", ">u2", "i4", "u8", "i8", "f2", "<f4", ">f4", "f8"):
        for shape in ((256, 192), (40, 33, 37), (70000,), (12, 9, 20, 21)):
            yield random_stream(rng, shape, dtype, widest=12)
        yield random_residual(rng, (20, 33), dtype, "C", 3, model=True, exact=True)[0]


def median(work, repeats=5):
    """Seconds, the first call left out."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main(output):
    """Check, measure, print."""
    figures = {"device": torch.cuda.get_device_name(0), "torch": torch.__version__}
    same(list(random_ones()), figures)
    for edge, count in ((64, 64), (128, 8)):
        volume = light_sheet((edge,) * 3, seed=edge)
        for effort in (1, 5):
            set_process(device=GPU)
            torch.cuda.synchronize()
            start = time.perf_counter()
            stream = TINCCodec(ratio=64, effort=effort).encode(volume)
            seconds = time.perf_counter() - start
            set_process()
            same([stream], figures)
            raw, name = volume.nbytes, f"{edge}^3, effort {effort}"
            figures[f"{name}: encoding, s"] = seconds
            figures[f"{name}: encoding, MB/s"] = raw / seconds / 1e6
            on_gpu = median(lambda stream=stream, count=count: decode_batch([stream] * count, GPU))
            figures[f"{name} x {count}: decode_batch on the GPU, MB/s"] = raw * count / on_gpu / 1e6
            by_numba = median(lambda stream=stream, count=count: [decode(stream) for _ in range(count)])
            figures[f"{name} x {count}: numba, MB/s"] = raw * count / by_numba / 1e6
    print(json.dumps(figures, indent=1))
    if output is not None:
        output.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:  # noqa: PTH123  # run by hand
            main(file)
    else:
        main(None)
