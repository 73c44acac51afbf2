"""How steps are run: the order in which a graph is warmed up, recorded and replayed, on a stand-in for torch.cuda."""

from contextlib import contextmanager

import pytest

pytest.importorskip("torch")

from tinc_codec.encoding.fit.step import WARM_UP, EagerStep, GraphStep


class Cuda:
    """Notes what is called, as torch.cuda would run it."""

    def __init__(self):
        self.calls = []
        self.inside = None

    def stream_named(self, name):
        return Stream(self.calls, name)

    def Stream(self):
        return self.stream_named("beside")

    def current_stream(self):
        return self.stream_named("current")

    @contextmanager
    def stream(self, stream):
        self.inside = stream.name
        yield
        self.inside = None

    def CUDAGraph(self):
        return Graph(self.calls)

    @contextmanager
    def graph(self, graph, *, stream, capture_error_mode):
        self.calls.append(("record", stream.name, capture_error_mode))
        self.inside = "recording"
        yield
        self.inside = None
        graph.recorded = True


class Stream:
    def __init__(self, calls, name):
        self.calls, self.name = calls, name

    def wait_stream(self, other):
        self.calls.append((self.name, "waits for", other.name))

    def synchronize(self):
        self.calls.append((self.name, "synchronised"))


class Graph:
    def __init__(self, calls):
        self.calls, self.recorded = calls, False

    def register_generator_state(self, generator):
        assert not self.recorded
        self.calls.append(("register", generator))

    def replay(self):
        assert self.recorded
        self.calls.append(("replay",))


def test_an_eager_step_is_the_work():
    done = []
    step = EagerStep(done.append)
    step(1)
    step(2)
    assert done == [1, 2]


@pytest.fixture
def recorded():
    cuda, done = Cuda(), []

    def work(phase):
        done.append(phase)
        cuda.calls.append(("work", phase, cuda.inside))

    return cuda, GraphStep(work, ["noise", "places"], cuda)


def test_a_phase_is_warmed_up_beside_then_recorded_once_and_replayed(recorded):
    cuda, step = recorded
    for _ in range(WARM_UP + 3):
        step("a")
    warm = [("beside", "waits for", "current"), ("work", "a", "beside"), ("current", "waits for", "beside")]
    assert cuda.calls == [
        ("current", "synchronised"),
        *warm * WARM_UP,
        ("register", "noise"),
        ("register", "places"),
        ("record", "beside", "thread_local"),
        ("work", "a", "recording"),
        *[("replay",)] * 3,
    ]


def test_another_phase_is_recorded_anew_once_the_last_one_is_done(recorded):
    cuda, step = recorded
    for _ in range(WARM_UP + 2):
        step("a")
    before = len(cuda.calls)
    for _ in range(WARM_UP + 1):
        step("b")
    calls = cuda.calls[before:]
    assert calls[0] == ("current", "synchronised")
    assert [call for call in calls if call[0] == "work"] == [("work", "b", "beside")] * WARM_UP + [
        ("work", "b", "recording")
    ]
    assert calls[-1] == ("replay",)


@pytest.mark.parametrize("steps", range(1, WARM_UP + 1))
def test_a_short_phase_is_never_recorded(recorded, steps):
    cuda, step = recorded
    for _ in range(steps):
        step("a")
    assert sum(call[0] == "work" for call in cuda.calls) == steps
    assert not {"record", "replay"} & {call[0] for call in cuda.calls}


def test_every_step_of_the_training_is_run_once(recorded):
    """Recording runs nothing: as many steps are run or replayed as were asked for."""
    cuda, step = recorded
    for number in range(20):
        step(number >= 11)
    run = [call for call in cuda.calls if call == ("replay",) or (call[0] == "work" and call[2] == "beside")]
    assert len(run) == 20
