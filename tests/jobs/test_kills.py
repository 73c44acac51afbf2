"""SIGKILL at random moments: the next run goes on, does nothing twice, and no reader ever sees half of anything."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec import TINCCodec
from tinc_codec.jobs import staging as place_module
from tinc_codec.jobs.cluster import Workers, connected
from tinc_codec.jobs.destination import Destination
from tinc_codec.jobs.ledger import Ledger
from tinc_codec.phantom import light_sheet

pytest.importorskip("torch")
distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no SIGKILL and no fork")

TIMES = 10
"""Trials; the moments of all of them are spread over the time that a job takes."""

LONG = 600
"""Seconds after which a test gives up what it waits for: no measure of anything, however slow the machine."""
COMMAND = [sys.executable, "-m", "tinc_codec.cli", "compress", "--devices", "cpu"]
CODEC = TINCCodec(max_error=20, effort=1)


class Zygote:
    """Jobs in processes of their own, see zygote.py."""

    def __init__(self):
        command = [sys.executable, Path(__file__).with_name("zygote.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, source, destination, report):
        request = {"source": str(source), "destination": destination and str(destination), "report": str(report)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def run(self, source, destination, report):
        wait(self.start(source, destination, report))
        return json.loads(report.read_text())

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(LONG)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait(pid):
    deadline = time.monotonic() + LONG
    while alive(pid):
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.002)


def kill(pid):
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
        wait(pid)


@pytest.fixture(scope="module")
def zygote():
    started = Zygote()
    yield started
    started.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("original") / "a.zarr"
    zarr.create_array(path, data=light_sheet((36, 48, 64), seed=2), chunks=(12, 24, 32), attributes={"unit": "um"})
    return path


@pytest.fixture(scope="module")
def undisturbed(zygote, original, tmp_path_factory):
    """What a job makes that nobody disturbs, and how long it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    zygote.run(original, folder / "warm.zarr", folder / "report.json")
    start = time.monotonic()
    zygote.run(original, folder / "b.zarr", folder / "report.json")
    return folder / "b.zarr", time.monotonic() - start


def moment(rng, trial):
    """When a trial ends something, as a part of the job's time: anywhere in a stretch that is no other trial's."""
    return (trial + rng.random()) / TIMES


def recorded(beside):
    return set(Ledger(beside / "ledger").records())


@pytest.mark.parametrize("trial", range(TIMES))
def test_a_job_that_was_killed_goes_on_where_it_was(zygote, original, undisturbed, tmp_path, files, trial):
    expected, seconds = undisturbed
    packed, report = tmp_path / "b.zarr", tmp_path / "report.json"
    pid = zygote.start(original, packed, report)
    time.sleep(seconds * moment(random.Random(trial), trial))
    kill(pid)
    assert not packed.exists() or files(packed) == files(expected)  # no reader sees a part of it
    before = recorded(tmp_path / "b.zarr.tinc")
    second = zygote.run(original, packed, report)
    assert second["reused"] == len(before)
    assert second["done"] == second["plan"]["tasks"] - len(before)
    assert files(packed) == files(expected)
    assert sorted(p.name for p in (tmp_path / "b.zarr.tinc").iterdir()) == ["ledger", "lock"]


@pytest.mark.parametrize("trial", range(TIMES))
def test_in_place_a_reader_finds_the_old_or_the_new_data_whole(zygote, original, undisturbed, tmp_path, files, trial):
    expected, seconds = undisturbed
    live, report = tmp_path / "a.zarr", tmp_path / "report.json"
    shutil.copytree(original, live)
    old, new = files(original), files(expected)
    pid = zygote.start(live, None, report)
    time.sleep(1.1 * seconds * moment(random.Random(100 + trial), trial))
    kill(pid)
    assert files(live) in (old, new)
    assert zarr.open_array(live, mode="r")[:].shape == (36, 48, 64)
    before = recorded(tmp_path / "a.zarr.tinc")
    second = zygote.run(live, None, report)
    assert second["reused"] == len(before)
    assert files(live) == new
    assert sorted(p.name for p in (tmp_path / "a.zarr.tinc").iterdir()) == ["ledger", "lock"]


STEPS = ["check", "create", "note", "sync", "exchange", "set_aside", "remove", "remove half"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_in_place_it_may_end_at_any_step_of_the_swap(
    original, undisturbed, client, tmp_path, files, monkeypatch, step, after
):
    """What SIGKILL seldom hits: each step of taking the place, before and after it is done."""

    class End(BaseException):
        pass

    def ending(holder, name, when=lambda *_: True):
        real = getattr(holder, name)

        def replaced(*arguments, **settings):
            if not when(*arguments):
                return real(*arguments, **settings)
            if after:
                real(*arguments, **settings)
            raise End

        monkeypatch.setattr(holder, name, replaced)

    real_rmtree = shutil.rmtree

    def half(path, **settings):
        if Path(path).name != "old":
            return real_rmtree(path, **settings)
        for number, file in enumerate(sorted(f for f in Path(path).rglob("*") if f.is_file())):
            if number % 2 == after:
                file.unlink()
        raise End

    live = tmp_path / "a.zarr"
    shutil.copytree(original, live)
    holders = {
        "check": lambda: ending(place_module.Place, "check_replaceable"),
        "create": lambda: ending(Destination, "create", lambda _, root: isinstance(root, Path)),
        "note": lambda: ending(Ledger, "note", lambda _, kind, __: kind == "swap"),
        "sync": lambda: ending(place_module.os, "sync"),
        "exchange": lambda: ending(place_module, "exchange"),
        "set_aside": lambda: ending(place_module.Place, "set_aside"),
        "remove": lambda: ending(place_module.Place, "remove_old"),
        "remove half": lambda: monkeypatch.setattr(place_module.shutil, "rmtree", half),
    }
    holders[step]()
    with pytest.raises(End):
        tinc_codec.compress(live, None, CODEC, client=client, progress=False)
    monkeypatch.undo()
    old, new = files(original), files(undisturbed[0])
    assert files(live) in (old, new)
    second = tinc_codec.compress(live, None, CODEC, client=client, progress=False)
    assert files(live) == new
    assert second.done == (0 if step not in ("check", "create") else second.plan.tasks)
    assert sorted(p.name for p in (tmp_path / "a.zarr.tinc").iterdir()) == ["ledger", "lock"]


def running(client):
    return sorted(client.run(os.getpid, on_error="ignore").values())


def test_workers_may_be_killed(original, undisturbed, tmp_path, files):
    expected, seconds = undisturbed
    rng = random.Random(7)
    with connected(None, Workers(2, 1, 2 * 2**30)) as client:
        tinc_codec.compress(original, tmp_path / "warm.zarr", CODEC, client=client, progress=False)
        for trial in range(TIMES):
            victim = rng.choice(running(client))
            timer = threading.Timer(seconds * moment(rng, trial), os.kill, (victim, signal.SIGKILL))
            timer.start()
            packed = tmp_path / f"{trial}.zarr"
            report = tinc_codec.compress(original, packed, CODEC, client=client, progress=False)
            timer.join()
            deadline = time.monotonic() + LONG
            while victim in (now := running(client)) or len(now) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert (report.done, report.failures) == (report.plan.tasks, ())
            assert files(packed) == files(expected)


def test_the_command_is_killed_with_its_workers_and_goes_on(original, tmp_path, files):
    packed = tmp_path / "b.zarr"
    command = [*COMMAND, original, packed, "--max-error", "20", "--workers", "2"]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + LONG
    while len(recorded(tmp_path / "b.zarr.tinc")) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = len(recorded(tmp_path / "b.zarr.tinc"))
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    assert f"{before} found done" in done.stdout
    got = zarr.open_array(packed, mode="r")[:].astype(int)
    assert np.abs(got - zarr.open_array(original, mode="r")[:]).max() <= 20


def test_ctrl_c_stops_and_says_how_to_go_on(original, tmp_path):
    packed = tmp_path / "b.zarr"
    command = [*COMMAND, original, packed, "--ratio", "30", "--effort", "1", "--workers", "2"]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    process = subprocess.Popen([*map(str, command)], **settings)
    deadline = time.monotonic() + LONG
    while not recorded(tmp_path / "b.zarr.tinc"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert "goes on with the same options" in errors
    assert "Traceback" not in errors
    assert not packed.exists()
    assert recorded(tmp_path / "b.zarr.tinc")
