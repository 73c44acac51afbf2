import socket
from threading import Thread

import numpy as np
import pytest
import zarr

from tests.serve.serving import Address, Limits, ServedCodec, Server, ask
from tinc_codec.errors import ConfigurationError


@pytest.fixture(scope="module")
def store():
    memory = zarr.storage.MemoryStore()
    zarr.create_array(memory, data=np.arange(4, dtype="u1"))
    return memory


def server_of(store, **address):
    return Server(store, ServedCodec("raw"), Address(**address), Limits())


def ended(server):
    """Let it run, and end."""
    server.stop()
    server.run()


def port_of(server):
    return int(server.url.rstrip("/").rpartition(":")[2])


@pytest.mark.parametrize("port", [-1, 65536, 1.5, True])
def test_a_port_is_a_number_that_there_is(port):
    with pytest.raises(ConfigurationError, match=f"port={port}"):
        Address(port=port)


def test_clients_may_come_before_it_answers(store):
    server = server_of(store)
    answers = []
    client = Thread(target=lambda: answers.append(ask(server.url.rstrip("/"), "/data.zarr/zarr.json")[0]))
    client.start()
    thread = Thread(target=server.run)
    thread.start()
    client.join()
    server.stop()
    thread.join()
    assert answers == [200]


def test_a_port_that_is_taken_is_named_and_free_again_when_it_ends(store):
    server = server_of(store)
    port = port_of(server)
    with pytest.raises(ConfigurationError, match=f"host '127.0.0.1', port {port}: cannot be listened on"):
        server_of(store, port=port)
    ended(server)
    again = server_of(store, port=port)
    assert port_of(again) == port
    ended(again)


def test_a_host_that_is_not_of_this_machine(store):
    with pytest.raises(ConfigurationError, match=r"host '192\.0\.2\.1', port 0: cannot be listened on"):
        server_of(store, host="192.0.2.1")


def test_an_address_of_ipv6_has_brackets_in_its_url(store):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        with pytest.raises(ConfigurationError, match="host '::1'"):
            server_of(store, host="::1")
        return
    server = server_of(store, host="::1")
    assert server.url.startswith("http://[::1]:")
    ended(server)


def test_a_store_is_looked_for_before_anything_is_listened_on(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigurationError, match="no Zarr array or group"),
    ):
        server_of(tmp_path / "none", port=taken.getsockname()[1])
