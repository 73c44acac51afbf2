"""A server that listens: from what a user names to an address, and until it is stopped."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

import uvicorn

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.opening import open_zarr
from tinc_codec.parsing import integer
from tinc_codec.serve.app import Service, application
from tinc_codec.serve.codecs import ServedCodec
from tinc_codec.serve.limits import Limits

BACKLOG = 2048
"""Connections that wait to be accepted, at most."""


@dataclass(frozen=True)
class Address:
    """Where a server listens, and whose pages may read there.

    Parameters
    ----------
    host, port
        Of an interface of this machine; port 0: any that is free.
    origin
        The web site whose pages may read what is served; ``*``: any.
    """

    host: str = "127.0.0.1"
    port: int = 0
    origin: str = "*"

    def __post_init__(self) -> None:
        integer("port", self.port, 0, 65535)


class Server:
    """A server of one store, which listens from here on, and answers while it runs.

    Parameters
    ----------
    store
        A path, or a URL that fsspec knows, of a Zarr array or group.
    codec
        What chunks of TINC arrays are served with.
    address
        Where it listens.
    limits
        On memory and work.

    Raises
    ------
    ConfigurationError
        There is no such store, or the address cannot be listened on.
    """

    def __init__(self, store: Any, codec: ServedCodec, address: Address, limits: Limits) -> None:
        self._service = Service(open_zarr(store), codec, limits)
        self._socket = _listening(address)
        config = uvicorn.Config(
            application(self._service, address.origin),
            http="h11",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        self._uvicorn = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """Of the page."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def run(self) -> None:
        """Answer until Ctrl-C, or until `stop`."""
        try:
            self._uvicorn.run(sockets=[self._socket])
        finally:
            self._socket.close()
            self._service.close()

    def stop(self) -> None:
        """Let `run` end, when what is being answered is done."""
        self._uvicorn.should_exit = True


def _listening(address: Address) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = addresses[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"host {address.host!r}, port {address.port}: cannot be listened on ({error.strerror or error}): give "
            "another, or port 0 for any that is free"
        ) from error
    return listening
