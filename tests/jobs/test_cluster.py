"""What a client's cluster has is what its scheduler says now."""

import threading

import pytest

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.cluster import known_workers, workers_of

distributed = pytest.importorskip("distributed")


def test_workers_are_there_whatever_the_client_looks_up_meanwhile(client):
    """The client asks its scheduler regularly, without workers; the answer must not be taken for one to us."""
    stop = threading.Event()

    def look():
        while not stop.is_set():
            client.sync(client._update_scheduler_info)

    other = threading.Thread(target=look)
    other.start()
    try:
        assert {len(known_workers(client)) for _ in range(200)} == {2}
    finally:
        stop.set()
        other.join()


def test_a_cluster_without_workers_is_an_error_that_says_what_to_do():
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as alone,
        pytest.raises(ConfigurationError, match="wait_for_workers"),
    ):
        workers_of(alone)
