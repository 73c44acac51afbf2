import subprocess
import sys
import threading

import pytest

from tinc_codec.errors import TrainingCancelledError
from tinc_codec.runtime.progress import TrainingProgress, observe


def test_observers_hear_of_each_chunk_and_of_its_parts():
    heard = []
    with observe(lambda *call: heard.append(call)):
        first, second = TrainingProgress(100), TrainingProgress(200)
        first(0.5)
        second.part(0.2, 0.6)(0.5)
    first(1.0)
    assert [(raw, done) for _, raw, done in heard] == [(100, 0.5), (200, pytest.approx(0.4))]
    assert heard[0][0] != heard[1][0]


def test_what_an_observer_raises_comes_out():
    def stop(*_):
        raise RuntimeError("enough")

    with observe(stop), pytest.raises(RuntimeError, match="enough"):
        TrainingProgress(1)(0.1)


def test_a_ctrl_c_that_came_meanwhile_stops_it_and_an_old_one_does_not(monkeypatch):
    monkeypatch.setattr(sys, "last_value", KeyboardInterrupt(), raising=False)
    progress = TrainingProgress(1)
    progress(0.1)
    monkeypatch.setattr(sys, "last_value", KeyboardInterrupt())
    with pytest.raises(TrainingCancelledError, match="stopped by the user"):
        progress(0.2)


@pytest.mark.parametrize("kind", ["threading.Thread(target=look)", "concurrent.futures.ThreadPoolExecutor().submit"])
def test_a_thread_sees_that_the_program_has_ended(kind):
    start = f"{kind}.start()" if "Thread(" in kind else f"{kind}(look)"
    code = (
        "import concurrent.futures, threading, time\n"
        "from tinc_codec.runtime.progress import is_ending\n"
        "def look():\n"
        "    print(is_ending(), flush=True)\n"
        "    begun.set()\n"
        "    while not is_ending():\n"
        "        time.sleep(0.01)\n"
        "    print('ended', flush=True)\n"
        "begun = threading.Event()\n"
        f"{start}\n"
        "begun.wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "ended"]


def test_no_frames_are_looked_at_for_that(monkeypatch):
    """A collection of garbage in there, and a listener to it, stop the process for ever on Python 3.11."""
    monkeypatch.setattr(sys, "_current_frames", None)
    TrainingProgress(1)(0.5)
    assert threading._SHUTTING_DOWN is False  # Python still has it
