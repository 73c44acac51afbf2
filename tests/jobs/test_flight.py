"""Whatever is lost with a worker is computed again, at whatever moment it is lost; and what fails is said to fail."""

import itertools
import threading
import time
import uuid
from types import SimpleNamespace

import pytest

import tinc_codec
from tinc_codec.encoding import encode as encoding
from tinc_codec.errors import JobError
from tinc_codec.jobs.flight import Flight

distributed = pytest.importorskip("distributed")

COMPUTED: dict[str, int] = {}
GATES: dict[str, threading.Event] = {}


def count(name, error=None, times=0):
    """Say how often it was called; raise `error` in the first calls."""
    COMPUTED[name] = COMPUTED.get(name, 0) + 1
    if COMPUTED[name] <= times:
        raise error
    return f"{name} {COMPUTED[name]}"


def slowly(name):
    """Wait for a gate, but not the first time."""
    if count(name) != f"{name} 1":
        GATES[name].wait(60)
    return name


def wait(name):
    GATES[name].wait(60)


def lose(client, futures):
    """Let every worker forget these results, as if it had died, and the scheduler notice."""
    keys = [future.key for future in futures]

    def forget(dask_worker):
        from distributed.worker_state_machine import FreeKeysEvent

        dask_worker.handle_stimulus(FreeKeysEvent(keys=keys, stimulus_id="test"))

    async def notice(dask_scheduler):
        for key in keys:
            for worker in list(dask_scheduler.tasks[key].who_has or ()):
                dask_scheduler.release_worker_data(key=key, worker=worker.address, stimulus_id="test")

    client.run(forget)
    client.run_on_scheduler(notice)


class Losing(Flight):
    """Loses results for the first time they are finished, at a given moment."""

    def __init__(self, client, send, moment):
        super().__init__(client, send)
        self.client, self.moment, self.lost, self.seen = client, moment, set(), False

    def _lose(self, moment, futures):
        new = [f for f in futures if moment == self.moment and f.status == "finished" and f.key not in self.lost]
        if new:
            self.lost.update(future.key for future in new)
            lose(self.client, new)
        return new

    def take(self, futures, check):
        for future in self._lose("before the look", futures):
            while self.seen and future.status == "finished":
                time.sleep(0.01)
        return super().take(futures, check)

    def fetch(self, futures, check):
        self._lose("after the look", futures)
        return super().fetch(futures, check)


def fly(flight, calls):
    flight.start(calls)
    landed = {}
    while flight:
        landed.update(flight.land(lambda: None))
    return landed


@pytest.fixture
def submitted():
    """Futures of what was sent."""
    return []


@pytest.fixture
def send(client, submitted):
    run = uuid.uuid4()  # the scheduler may still know keys of the last test

    def submit(calls):
        first = len(submitted)
        for number, call in enumerate(calls, start=first):
            submitted.append(client.submit(*call, key=f"test-{run}-{number}", pure=False))
        return submitted[first:]

    return submit


@pytest.mark.parametrize("moment", ["before the look", "after the look"])
def test_a_result_that_is_lost_is_computed_again(client, send, moment):
    calls = [(count, f"{moment} {number}") for number in range(5)]
    flight = Losing(client, send, moment)
    landed = fly(flight, calls)
    assert len(flight.lost) == 5
    assert landed == {call: f"{call[1]} 2" for call in calls}


def test_a_result_that_is_lost_while_others_are_waited_for_does_not_block_them(client, send):
    gate = GATES["slow"] = threading.Event()
    flight = Losing(client, send, "before the look")
    flight.seen = True  # it stays lost until the gate opens
    flight.start([(slowly, "slow")])
    while not flight.lost:
        assert flight.look(lambda: None) == []
    flight.moment = "never"
    flight.start([(count, "quick")])
    assert flight.land(lambda: None) == [((count, "quick"), "quick 1")]
    gate.set()
    assert [value for _, value in flight.land(lambda: None)] == ["slow"]


def test_what_fails_is_given_back_as_the_error_it_raised(client, send):
    calls = [(count, "good"), (count, "bad", ValueError("no"), 9)]
    landed = fly(Flight(client, send), calls)
    assert landed[calls[0]] == "good 1"
    assert isinstance(landed[calls[1]], ValueError)


def killed():
    return distributed.KilledWorker("a call", SimpleNamespace(address="tcp://gone"), 3)


def test_a_worker_that_dies_is_not_the_calls_failure(client, send):
    call = (count, "unlucky", killed(), 2)
    assert fly(Flight(client, send), [call]) == {call: "unlucky 3"}


def test_a_call_of_which_workers_always_die_ends_the_job_with_the_reason(client, send):
    call = (count, "deadly", killed(), 99)
    with pytest.raises(JobError, match="workers die again and again") as caught:
        fly(Flight(client, send), [call])
    assert isinstance(caught.value.__cause__, distributed.KilledWorker)
    assert COMPUTED["deadly"] == 3


def test_what_is_cancelled_is_not_a_failure_of_the_call(client, send, submitted):
    gate = GATES["cancelled"] = threading.Event()
    flight = Flight(client, send)
    flight.start([(wait, "cancelled")])
    client.cancel(submitted, force=True)
    with pytest.raises(JobError, match="cancelled"):
        flight.land(lambda: None)
    gate.set()
    flight.cancel()


def test_without_workers_it_ends(monkeypatch):
    monkeypatch.setattr("tinc_codec.jobs.flight.PATIENCE", 1.0)
    settings = {"processes": False, "n_workers": 0, "dashboard_address": ":0"}
    with distributed.Client(**settings) as client:
        flight = Flight(client, lambda calls: [client.submit(call, pure=False) for call in calls])
        flight.start([int])
        with pytest.raises(JobError, match="all workers are gone"):
            flight.land(lambda: None)
        flight.cancel()


def test_the_user_may_stop_it_while_it_waits(client, send):
    gate = GATES["stopped"] = threading.Event()
    flight = Flight(client, send)
    flight.start([(wait, "stopped")])

    def check():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flight.land(check)
    flight.cancel()
    gate.set()
    assert len(flight) == 0


@pytest.mark.parametrize("moment", ["before the look", "after the look"])
def test_what_a_job_stores_does_not_depend_on_what_was_lost(
    tmp_path, source, bounded, client, files, monkeypatch, moment
):
    settings = {"client": client, "progress": False}
    tinc_codec.compress(source, tmp_path / "undisturbed.zarr", bounded, **settings)
    flights = []

    def losing(*arguments):
        flights.append(Losing(*arguments, moment))
        return flights[-1]

    monkeypatch.setattr("tinc_codec.jobs.scheduler.Flight", losing)
    report = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, **settings)
    assert sum(len(flight.lost) for flight in flights) == 12
    assert (report.done, report.failures) == (12, ())
    assert files(tmp_path / "b.zarr") == files(tmp_path / "undisturbed.zarr")


def test_a_worker_that_dies_with_a_chunk_never_makes_it_lossless(tmp_path, source, bounded, client, monkeypatch):
    real, calls = encoding.encode, itertools.count()

    def encode(array, config):
        if next(calls) < 2:
            raise killed()
        return real(array, config)

    monkeypatch.setattr(encoding, "encode", encode)
    report = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, retries=0, progress=False)
    assert (report.done, report.failures) == (12, ())
