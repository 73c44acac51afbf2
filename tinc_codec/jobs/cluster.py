"""Dask's workers for a job: the client that was given, or a cluster made for the job on this machine."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

import dask
import psutil
from distributed import Client, Scheduler, SpecCluster

from tinc_codec.errors import ConfigurationError, JobError
from tinc_codec.jobs.grids import is_whole
from tinc_codec.jobs.keeper import Order, kept
from tinc_codec.runtime.settings import cores

GPU = "GPU"
"""Resource that a worker offers which has a GPU of its own, as dask-cuda's users name it."""

_QUIET = logging.ERROR
"""Dask's own messages that are shown."""

_SCHEDULER = {"dashboard": False, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1", "port": 0}
"""The job's own scheduler: seen from this machine only, on any ports that are free."""

_LOOK = 1.0
"""Seconds between two looks whether workers that were started are there."""

_RESERVE = 0.85
"""Part of the free memory that workers may have."""


@dataclass(frozen=True)
class Workers:
    """Workers to make, or that a client has.

    Parameters
    ----------
    number
        How many.
    threads
        CPU cores that each may use.
    memory
        Bytes that each may take.
    gpus
        GPUs, one for each worker; empty: CPUs.
    """

    number: int
    threads: int
    memory: int
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class WorkerOptions:
    """Who is asked to do a job.

    Parameters
    ----------
    client
        Dask's, whose workers do it; None: workers on this machine, for this job.
    devices
        Without a client: ``"auto"`` (GPUs where there are any), ``"cpu"``, ``"gpu"``, or numbers of GPUs.
    number
        Without a client: of workers; None: one for each GPU or core, as far as the memory goes.
    """

    client: Client | None = None
    devices: str | int | list[int] = "auto"
    number: int | None = None

    def workers(self, needed: int) -> Workers:
        """Workers that are there, or that are to be started, where each needs so many bytes of memory.

        Raises
        ------
        ConfigurationError
            There is no such GPU, or the client has no workers.
        """
        if self.client is not None:
            return workers_of(self.client)
        number = self.number
        if number is not None and (not is_whole(number) or number < 1):
            raise ConfigurationError(f"workers={number!r} must be a whole number of at least 1")
        free = int(psutil.virtual_memory().available * _RESERVE)
        gpus = _gpus(self.devices)
        if number is None:
            number = len(gpus) or min(cores(), max(1, free // needed))
        return Workers(number, max(1, cores() // number), free // number, gpus)


def _gpus(devices: str | int | list[int]) -> tuple[int, ...]:
    if devices == "cpu":
        return ()
    if isinstance(devices, str) and devices not in ("auto", "gpu"):
        raise ConfigurationError(f"devices={devices!r} is not known; known are 'auto', 'cpu', 'gpu', or GPU numbers")
    try:
        from tinc_codec.encoding.fit.device import gpus
    except ImportError:
        count = 0  # lossless coding needs no torch, and says so itself where it is needed
    else:
        count = gpus()
    if isinstance(devices, str):
        if devices == "gpu" and not count:
            raise ConfigurationError("devices='gpu': torch sees no GPU; say devices='cpu', or mend its installation")
        return tuple(range(count))
    chosen = (devices,) if isinstance(devices, int) else tuple(devices)
    if any(isinstance(gpu, bool) or not isinstance(gpu, int) for gpu in chosen):
        raise ConfigurationError(f"devices={devices!r} must be 'auto', 'cpu', 'gpu', or GPU numbers")
    if any(not 0 <= gpu < count for gpu in chosen):
        raise ConfigurationError(f"devices={devices!r}: torch sees {count} GPUs, numbered from 0")
    return chosen


def known_workers(client: Client) -> list[dict[str, Any]]:
    """What the scheduler says of each worker that it has now.

    Not `Client.scheduler_info`: between its question and its answer the client's regular update, which asks for no
    workers, may take the answer's place (distributed 2026.8), and then there seem to be none.
    """
    assert client.scheduler is not None  # a client that is not closed
    return list(client.sync(client.scheduler.identity, n_workers=-1)["workers"].values())


def workers_of(client: Client) -> Workers:
    """What a client's cluster has; the memory is that of the worker with the least.

    Raises
    ------
    ConfigurationError
        It has no workers.
    """
    workers = known_workers(client)
    if not workers:
        raise ConfigurationError("the client's cluster has no workers yet: client.wait_for_workers(1)")
    offering = [worker for worker in workers if worker["resources"].get(GPU)]
    used = offering or workers
    memory = min((w["memory_limit"] or psutil.virtual_memory().total) // max(1, w["nthreads"]) for w in used)
    return Workers(sum(w["nthreads"] for w in used), 0, memory, tuple(range(len(offering))))


def neighbours(client: Client) -> int:
    """Number of worker threads on the machine that has most of them."""
    hosts: Counter[str] = Counter()
    for worker in known_workers(client):
        hosts[worker["host"]] += worker["nthreads"]
    return max(hosts.values(), default=1)


@contextmanager
def connected(client: Client | None, workers: Workers) -> Iterator[Client]:
    """The client that was given, or one of a cluster that is made for as long as the context lasts.

    Raises
    ------
    JobError
        The workers cannot be started.
    """
    if client is not None:
        yield client
        return
    options = tuple(_worker(workers, number) for number in range(workers.number))
    scheduler = {"cls": Scheduler, "options": _SCHEDULER}
    with (
        SpecCluster(workers={}, scheduler=scheduler, silence_logs=_QUIET) as cluster,
        kept(Order(cluster.scheduler_address, options, dask.config.config)) as keeper,
        Client(cluster) as own,
    ):
        _wait_for_workers(own, workers.number, keeper)
        yield own


def _wait_for_workers(client: Client, number: int, keeper: Popen[bytes]) -> None:
    while keeper.poll() is None:
        with suppress(TimeoutError):
            client.wait_for_workers(number, timeout=_LOOK)
            return
    raise JobError(f"the workers' process ended with status {keeper.returncode} before it had started them: see above")


def _worker(workers: Workers, number: int) -> dict[str, Any]:
    threads = str(workers.threads)
    env = {"TINC_THREADS": threads, "TINC_JOBS": "1", "ZARR_THREADING__MAX_WORKERS": threads}
    resources = {}
    if workers.gpus:
        env |= {"CUDA_VISIBLE_DEVICES": str(workers.gpus[number % len(workers.gpus)]), "TINC_DEVICE": "cuda:0"}
        resources[GPU] = 1
    else:
        env["TINC_DEVICE"] = "cpu"
    return {
        "name": number,
        "nthreads": 1,
        "memory_limit": workers.memory,
        "env": env,
        "resources": resources,
        "dashboard": False,
        "silence_logs": _QUIET,
        "preload": "tinc_codec.jobs.worker",
    }
