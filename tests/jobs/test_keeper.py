"""Workers of a job run nobody's script; and they end with the job."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import psutil
import pytest
import zarr

from tinc_codec.errors import JobError
from tinc_codec.jobs.cluster import Workers, connected

pytest.importorskip("distributed")

from tinc_codec.jobs import keeper

SCRIPT = """
import sys
import dask.array as da
import numpy as np
import beside
from tinc_codec import TINCCodec, compress

print("the script runs")

def changed(block):
    return beside.double(block)

def main():
    data = np.arange(16**3, dtype="u2").reshape(16, 16, 16)
    lazy = da.from_array(data, chunks=(8, 16, 16)).map_blocks(changed)
    report = compress(lazy, sys.argv[1], TINCCodec(max_error=0), workers=1, devices="cpu", progress=False)
    print(report.done, "done")

{call}
"""


@pytest.mark.parametrize("call", ["main()", 'if __name__ == "__main__":\n    main()'])
def test_a_script_needs_no_guard(tmp_path, call):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "beside.py").write_text("def double(block):\n    return 2 * block\n")
    (tmp_path / "scripts" / "job.py").write_text(textwrap.dedent(SCRIPT).format(call=call))
    command = [sys.executable, tmp_path / "scripts" / "job.py", tmp_path / "b.zarr"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["the script runs", "2 done"]
    assert ended.stderr == ""
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")[:]
    assert (got.reshape(-1) == 2 * np.arange(16**3)).all()


def family(pid):
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_workers_end_at_once_with_a_job_that_is_killed(tmp_path):
    code = (
        "import time\nfrom tinc_codec.jobs.cluster import Workers, connected\n"
        "with connected(None, Workers(2, 1, 2**31)):\n    print('ready', flush=True)\n    time.sleep(3600)\n"
    )
    job = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert job.stdout.readline() == "ready\n"
    started = family(job.pid)
    assert len(started) >= 3
    job.kill()
    job.communicate()
    _, alive = psutil.wait_procs(started, timeout=600)
    assert alive == []


def test_workers_end_with_the_context_and_ctrl_c_is_not_for_them():
    others = family(os.getpid())  # of earlier tests: multiprocessing keeps a process of its own until this one ends
    with connected(None, Workers(1, 1, 2**31)) as client:
        before = set(client.run(os.getpid).values())
        started = [process for process in family(os.getpid()) if process not in others]
        assert before <= {process.pid for process in started}
        for process in started:
            process.send_signal(signal.SIGINT)
        assert set(client.run(os.getpid).values()) == before
        assert set(client.run(_environment).values()) == {("1", "1", "cpu")}
    _, alive = psutil.wait_procs(started, timeout=600)
    assert alive == []


def _environment():
    return tuple(os.environ[name] for name in ("TINC_THREADS", "TINC_JOBS", "TINC_DEVICE"))


def test_workers_that_cannot_start_are_said_to(monkeypatch, capfd):
    monkeypatch.setattr("tinc_codec.jobs.keeper.SOURCE", "raise SystemExit(3)")
    with pytest.raises(JobError, match="ended with status 3"), connected(None, Workers(1, 1, 2**31)):
        pass


def test_a_worker_that_dies_is_started_again():
    with connected(None, Workers(1, 1, 2**31)) as client:
        (before,) = client.run(os.getpid).values()
        os.kill(before, getattr(signal, "SIGKILL", signal.SIGTERM))
        deadline = time.monotonic() + 600
        while before in (now := set(client.run(os.getpid, on_error="ignore").values())) or not now:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("deaths", [0, 1, 3, 4])
def test_a_worker_that_dies_while_it_is_started_is_started_again(monkeypatch, deaths):
    begun = []

    class Dying:
        def __init__(self, scheduler, **options):
            begun.append((scheduler, options))

        def __await__(self):
            if len(begun) <= deaths:
                raise RuntimeError("Nanny failed to start.")
            yield from ()
            return self

    monkeypatch.setattr(keeper, "Nanny", Dying)
    monkeypatch.setattr(keeper, "PAUSES", (0.0, 0.0, 0.0))
    if deaths > 3:
        with pytest.raises(RuntimeError, match="failed to start"):
            asyncio.run(keeper.started("tcp://here", {"name": 0}))
    else:
        assert isinstance(asyncio.run(keeper.started("tcp://here", {"name": 0})), Dying)
    assert begun == [("tcp://here", {"name": 0})] * min(deaths + 1, 4)
