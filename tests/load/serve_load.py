"""Many clients of `tinc serve` beside `tinc compress` on the same machine; prints JSON. Run by hand:

    python tests/load/serve_load.py SERVED.npy COMPRESSED.npy --seconds 120 --clients 32

Each client asks for one thing after the other, without a pause: a chunk, a chunk of a coarser level, or a plane as a
picture, anywhere in the volume; and compares every tenth chunk with what zarr reads from the store itself.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp
import numcodecs
import numpy as np
import zarr

from tinc_codec import TINCCodec, zarr_kwargs

TINC = [sys.executable, "-m", "tinc_codec.cli"]
EDGE = 64
KINDS = {"chunk": 6, "level": 3, "plane": 1}
"""What is asked for, and how often."""


class Clients:
    """What the clients ask for, and what came of it."""

    def __init__(self, url, array):
        self.url, self.array, self.stored = url, array, array[:]
        self.grid = [-(-n // m) for n, m in zip(array.shape, array.chunks, strict=True)]
        self.seconds = {kind: [] for kind in KINDS}
        self.statuses, self.wrong, self.nbytes, self.compared = Counter(), [], 0, 0

    def path(self, kind):
        index = tuple(random.randrange(n) for n in self.grid)
        if kind == "plane":
            z = random.randrange(self.array.shape[0])
            return f"view/?level=0&at={z}&low=0&high={int(self.stored.max())}", None
        place = "c/" + "/".join(map(str, index))
        return (f"data.zarr/{place}", index) if kind == "chunk" else (f"levels/image.zarr/1/{place}", None)

    async def one(self, session, until):
        while time.monotonic() < until:
            (kind,) = random.choices(list(KINDS), KINDS.values())
            path, index = self.path(kind)
            began = time.monotonic()
            try:
                async with session.get(self.url + path) as answer:
                    body = await answer.read()
                    self.statuses[answer.status] += 1
            except (TimeoutError, aiohttp.ClientError) as error:
                self.wrong.append(f"{path}: {type(error).__name__}: {error}")
                continue
            self.seconds[kind].append(time.monotonic() - began)
            self.nbytes += len(body)
            if answer.status != 200:
                self.wrong.append(f"{path}: {answer.status} {body[:200].decode(errors='replace')}")
            elif index is not None and random.random() < 0.1:
                self.compare(path, index, body)

    def compare(self, path, index, body):
        self.compared += 1
        samples = np.frombuffer(numcodecs.Blosc().decode(body), self.array.dtype).reshape(self.array.chunks)
        place = tuple(slice(i * n, (i + 1) * n) for i, n in zip(index, self.array.chunks, strict=True))
        expected = self.stored[place]
        if not (samples[tuple(map(slice, expected.shape))] == expected).all():
            self.wrong.append(f"{path}: other samples than in the store")

    async def all(self, clients, seconds):
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(120)) as session:
            until = time.monotonic() + seconds
            await asyncio.gather(*(self.one(session, until) for _ in range(clients)))

    def latencies(self):
        return {
            kind: {f"p{p}_ms": round(1000 * float(np.percentile(taken, p)), 1) for p in (50, 90, 99, 100)}
            for kind, taken in self.seconds.items()
            if taken
        }


async def first_image(url, array):
    """Seconds from asking for the page to the picture that it shows first."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        at = array.shape[0] // 2
        for path in ("", "api/arrays", f"api/contrast/?at={at}", f"view/?level=0&at={at}&low=0&high=1000"):
            async with session.get(url + path) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
    return time.monotonic() - began


def peak_memory(process):
    """MB that a process had at most."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000


def compressing(source, folder, until):
    """Run `tinc compress` of a volume again and again; how often it was done, and what went wrong."""
    done = 0
    while time.monotonic() < until:
        command = [*TINC, "compress", str(source), str(folder / f"{done}.zarr"), "--ratio", "64", "--effort", "1"]
        subprocess.run(command, check=True, capture_output=True)
        done += 1
    return done


async def measure(folder, given):
    served, compressed, clients, seconds = given.served, given.compressed, given.clients, given.seconds
    chunks = tuple(min(EDGE, n) for n in served.shape)
    array = zarr.create_array(
        folder / "served", data=served, chunks=chunks, **zarr_kwargs(TINCCodec(ratio=64, effort=1))
    )
    zarr.create_array(folder / "raw", data=compressed, chunks=(EDGE,) * compressed.ndim, compressors=None)
    began = time.monotonic()
    command = [*TINC, "serve", str(folder / "served"), "--cache", str(given.cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().split()[1]
            listening = time.monotonic() - began
            first, again = await first_image(url, array), await first_image(url, array)
            asked = Clients(url, zarr.open_array(folder / "served", mode="r"))
            job = asyncio.to_thread(compressing, folder / "raw", folder, time.monotonic() + seconds)
            jobs, _ = await asyncio.gather(job, asked.all(clients, seconds))
            memory = peak_memory(server)
        finally:
            server.terminate()
    requests = sum(map(len, asked.seconds.values()))
    return {
        "served": f"{array.shape} {array.dtype} in chunks of {array.chunks}, {asked.grid}",
        "clients": clients,
        "cache_MiB": given.cache,
        "seconds": seconds,
        "requests": requests,
        "requests_per_second": round(requests / seconds, 1),
        "megabytes": round(asked.nbytes / 1e6, 1),
        "statuses": dict(asked.statuses),
        "errors": len(asked.wrong),
        "first_errors": asked.wrong[:5],
        "chunks_compared": asked.compared,
        "latency": asked.latencies(),
        "seconds_until_it_listens": round(listening, 2),
        "seconds_to_first_image": round(first, 2),
        "seconds_to_first_image_again": round(again, 2),
        "peak_memory_of_the_server_MB": round(memory, 1),
        "volumes_compressed_meanwhile": jobs,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("served", type=np.load, help="volume that is served, .npy")
    parser.add_argument("compressed", type=np.load, help="volume that is compressed meanwhile, .npy")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--cache", type=int, default=256, help="MiB that the server keeps")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(Path(folder), given))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
