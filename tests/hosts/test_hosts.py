"""What a process can do to a codec: fork, Ctrl-C, inference mode, other defaults, many threads."""

import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from tinc_codec import TINCCodec, TrainingCancelledError, decode, set_process
from tinc_codec.encoding import networks
from tinc_codec.hosts import decode_pool as readers
from tinc_codec.runtime import progress, threads

torch = pytest.importorskip("torch")

QUICK = TINCCodec(ratio=12, effort=1, levels=2, network_share=1)
PARTLY = TINCCodec(ratio=12, effort=1, levels=2, network_share=1, exact_values=[2000])


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(
    "codec",
    [
        QUICK,
        TINCCodec(ratio=12, effort=1, levels=2, network_share=1, exact_values=[2000]),
        TINCCodec(ratio=40, effort=4),
    ],
    ids=["samples", "some of them", "under coefficients"],
)
def test_callers_in_inference_mode_no_grad_autocast_or_with_other_defaults(smooth, codec, monkeypatch):
    monkeypatch.setattr(networks, "PROBE", networks.Training(2, 1, 0))
    monkeypatch.setattr(networks, "PROMISING", -math.inf)  # under coefficients, whatever they are worth
    monkeypatch.setattr(networks, "FORETELLING", -math.inf)
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(2, 2, 2))
    expected = codec.encode(smooth)
    with torch.inference_mode():
        assert codec.encode(smooth) == expected
    with torch.no_grad():
        assert codec.encode(smooth) == expected
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert codec.encode(smooth) == expected
    torch.set_default_dtype(torch.float64)
    try:
        assert codec.encode(smooth) == expected
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("few_steps")
def test_the_number_of_torch_threads_is_given_back(smooth):
    before = torch.get_num_threads()
    set_process(threads=1)
    QUICK.encode(smooth)
    assert torch.get_num_threads() == before


@pytest.mark.usefixtures("few_steps")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_forked_child_can_encode_and_decode(smooth):
    set_process(threads=2)
    expected = QUICK.encode(smooth)  # so that the parent's thread pools exist
    threads.spread(lambda _: None, range(2))
    readers.readers().submit(int).result()
    decode(expected, 3)
    set_process()
    child = os.fork()
    if child == 0:
        try:
            set_process(threads=2)
            threads.spread(lambda _: None, range(2))
            readers.readers().submit(int).result(600)
            part = decode(expected, 3)
            os._exit(0 if (part == decode(QUICK.encode(smooth))[3]).all() else 1)
        finally:
            os._exit(2)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


@pytest.mark.usefixtures("few_steps")
def test_an_observer_sees_progress_and_can_stop_it(smooth):
    seen = []
    with progress.observe(lambda number, raw, fraction: seen.append((number, raw, fraction))):
        QUICK.encode(smooth)
        QUICK.encode(smooth)
    assert len({number for number, _, _ in seen}) == 2
    assert {raw for _, raw, _ in seen} == {smooth.nbytes}
    assert all(0 <= fraction <= 1 for _, _, fraction in seen)

    def stop(number, raw, fraction):
        raise TrainingCancelledError("enough")

    with progress.observe(stop), pytest.raises(TrainingCancelledError, match="enough"):
        QUICK.encode(smooth)


SCRIPT = """
import signal, sys, numpy as np, zarr
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs the tests in the background ignores it
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.runtime import progress
rng = np.random.default_rng(0)
data = rng.normal(1000, 90, (96, 96, 96)).astype("u2")
codec = TINCCodec(ratio=32, effort=9)
with progress.observe(lambda *_: sys.stdout.write("training\\n") and sys.stdout.flush()):
    if sys.argv[1] == "codec":
        codec.encode(data)
    else:
        zarr.create_array(sys.argv[2], data=data, chunks=(48, 96, 96), **zarr_kwargs(codec))
"""


@pytest.mark.parametrize("host", ["codec", "zarr"])
def test_ctrl_c_ends_training(tmp_path, host):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), host, str(tmp_path / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        for _ in range(4):
            assert child.stdout.readline() == "training\n"
        child.send_signal(signal.SIGINT)
        try:
            after, _ = child.communicate(timeout=600)
        finally:
            child.kill()
    assert child.returncode != 0
    assert after.count("training") < 400  # of the thousands of steps that it would take, some of them taken before


def test_many_threads_share_the_cores(smooth):
    from concurrent.futures import ThreadPoolExecutor

    running, most = set(), []

    def observer(number, raw, fraction):
        running.add(number)
        most.append(len(running))
        if fraction > 0.85:
            running.discard(number)

    set_process(jobs=2)
    with progress.observe(observer), ThreadPoolExecutor(4) as pool:
        streams = list(pool.map(QUICK.encode, [smooth] * 4))
    assert len(set(streams)) == 1
    assert max(most) <= 2 + 1  # one may report its end just after the next began


@pytest.mark.usefixtures("few_steps")
def test_arrays_of_another_kind_are_taken(smooth):
    tensor = torch.from_numpy(smooth.astype("i4"))
    assert decode(QUICK.encode(tensor)).shape == smooth.shape
    assert decode(QUICK.encode(np.ma.masked_array(smooth.astype("f4")))).shape == smooth.shape
