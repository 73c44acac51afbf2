"""A job's figures, without the job."""

import numpy as np

from tinc_codec.jobs.account import Account
from tinc_codec.jobs.ledger import Record
from tinc_codec.jobs.plan import ArrayPlan, Plan
from tinc_codec.jobs.report.figures import Picture, array_report
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.scheduler import Failure


def record(array="0", index=(0, 0, 0), **changed):
    """A chunk of 1000 voxels of uint16 that lost something."""
    values = {
        "array": array,
        "key": "c/" + "/".join(map(str, index)),
        "index": index,
        "fingerprint": "f",
        "digest": "d",
        "raw_bytes": 2000,
        "stored_bytes": 50,
        "voxels": 1000,
        "squares": 4000.0,
        "max_error": 5.0,
        "low": 10.0,
        "high": 210.0,
        "kinds": {"detail": 1},
        "seconds": 0.5,
        "memory": 10**9,
        "verified": True,
    }
    return Record(**{**values, **changed})


def plan(**changed):
    """Of an image and a label image."""
    arrays = (
        ArrayPlan("0", (20, 10, 10), "uint16", (10, 10, 10), None, 2, 4000, "encode", None),
        ArrayPlan("labels/[ä]", (9, 9), "uint32", (9, 9), (9, 9), 1, 324, "copy", "a label image"),
    )
    values = {
        "arrays": arrays,
        "target": "psnr=45.0",
        "workers": 2,
        "threads": 1,
        "worker_memory": 2**31,
        "memory": 2**30,
    }
    return Plan(**{"source": "a.zarr", "destination": "b [1] <i>.zarr", **values, **changed})


def report(of=None, **changed):
    """What a job of a plan did, of that one where none is given."""
    of = of or plan()
    records = (record(), record(index=(1, 0, 0), squares=0.0, max_error=0.0), record("labels/[ä]", (0, 0), kinds={}))
    arrays = tuple(
        array_report(each.path, [r for r in records if r.array == each.path], each.copied) for each in of.arrays
    )
    plane = np.arange(100, dtype="u2").reshape(10, 10)
    shown = (Picture("0", (slice(10, 11), slice(0, 10), slice(0, 10)), plane, plane + np.uint16(1)),)
    values = {
        "failures": (Failure("0/c/9/9/9", "RuntimeError: <no> [bold]", "lossless"),),
        "notes": ("no picture of x & y",),
        "account": Account(metadata=4, converted=2, copied=1),
    }
    values |= {"done": 2, "reused": 1, "seconds": 4.0, "records": records, "views": shown}
    return Report(of, arrays, **{**values, **changed})
