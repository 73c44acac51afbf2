"""Run by hand where there is a GPU: all that this package does there, in at most 12 minutes, as JSON.

    PYTHONPATH=. python tests/gpu/check.py [--cpu] [--out FILE.json] [--seconds N] [PART ...]

Parts: bytes, kernels, training, zarr, command (what must be the same), coefficients (that, and how fast), steps,
throughput (how fast). Each has a limit
of time: what it has found until then is kept, and the script says what it did not come to. It fails if a part failed.
With ``--cpu`` the same code runs on the CPU at tiny sizes, kernels in Triton's interpreter: so it is kept working.
"""

import argparse
import contextlib
import json
import os
import platform
import signal
import sys
import time
import traceback
from pathlib import Path

PARTS = {
    "bytes": ("correctness", "same_bytes", 60),
    "kernels": ("correctness", "kernels", 120),
    "training": ("correctness", "training", 60),
    "zarr": ("correctness", "through_zarr", 30),
    "command": ("correctness", "command", 60),
    "coefficients": ("coefficients", "coefficients", 60),
    "steps": ("speed", "steps", 120),
    "throughput": ("speed", "throughput", 210),
}
"""For each part its module, its function, and its seconds: 12 minutes in all."""


class OutOfTimeError(Exception):
    """A part has had its time."""


@contextlib.contextmanager
def limited(seconds):
    """Raise `OutOfTimeError` in the main thread after so many seconds."""

    def stop(*_):
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(names, setting, factor=1.0):
    """Run parts, and return what each of them found, and how it ended."""
    import importlib

    from tinc_codec import set_process

    results = {}
    for name in names:
        module, function, seconds = PARTS[name]
        figures, start, ended = {}, time.monotonic(), "well"
        try:
            with limited(seconds * factor):
                getattr(importlib.import_module(f"tests.gpu.{module}"), function)(setting, figures)
        except OutOfTimeError:
            ended = "out of time"
        except Exception:
            ended = traceback.format_exc()
        set_process()
        results[name] = {"ended": ended, "seconds": time.monotonic() - start, "figures": figures}
        print(json.dumps({name: results[name]}, indent=1), file=sys.stderr, flush=True)
    return results


def device_of(setting):
    """What the figures are of."""
    import torch

    named = torch.cuda.get_device_name(0) if setting.on_gpu else platform.processor() or platform.machine()
    return {"device": named, "torch": torch.__version__, "cores": os.cpu_count(), "python": platform.python_version()}


def main(arguments=None):
    """Run what was asked for; 1 where a part failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all, if none is named")
    parser.add_argument("--cpu", action="store_true", help="tiny sizes on the CPU")
    parser.add_argument("--out", type=Path, help="write the JSON there, too")
    parser.add_argument("--seconds", type=float, help="for all parts that are named, instead of their own limits")
    given = parser.parse_args(arguments)
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; parts are {', '.join(PARTS)}")
    if given.cpu:
        os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported
    from tests.gpu import setting as settings

    setting = settings.CPU if given.cpu else settings.GPU
    names = given.parts or list(PARTS)
    whole = sum(PARTS[name][2] for name in names)
    results = {"of": device_of(setting), **run(names, setting, (given.seconds or whole) / whole)}
    text = json.dumps(results, indent=1)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return int(any(results[name]["ended"] not in ("well", "out of time") for name in names))


if __name__ == "__main__":
    sys.exit(main())
