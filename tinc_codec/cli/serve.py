"""`tinc serve`: a store over HTTP, for readers without our codec, and a page to look at it."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer
from rich.console import Console

from tinc_codec.cli.reporting import interruptible
from tinc_codec.errors import MissingDependencyError

MIB = 2**20

console = Console()


def serve_command(
    store: Annotated[str, typer.Argument(help="Zarr array or group (path or URL), OME-Zarr too.")],
    host: Annotated[str, typer.Option(help="Interface to listen on; by default this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free.")] = 0,
    codec: Annotated[str, typer.Option(help="How chunks are sent: blosc (with zstd) or raw.")] = "blosc",
    allow_origin: Annotated[str, typer.Option(help="Web site whose pages may read; *: any.")] = "*",
    cache: Annotated[int, typer.Option(help="MiB of chunks as they are sent that are kept.")] = 256,
    max_chunk: Annotated[int, typer.Option(help="MiB of the largest chunk that is decoded.")] = 256,
    max_requests: Annotated[int, typer.Option(help="Most requests that wait; others are told to come back.")] = 1024,
) -> None:
    """Serve a store, read-only, as plain Zarr over HTTP, and a page to look at it."""
    with interruptible("stopped"):
        try:
            from tinc_codec.serve.codecs import ServedCodec
            from tinc_codec.serve.limits import Limits
            from tinc_codec.serve.server import Address, Server
        except ModuleNotFoundError as error:
            raise MissingDependencyError(f"serving needs {error.name}: pip install 'tinc-codec[serve]'") from error

        limits = Limits(cache=cache * MIB, chunk=min(max_chunk * MIB, 2**31 - 1), requests=max_requests)
        server = Server(store, ServedCodec(codec), Address(host, port, allow_origin), limits)
        console.print(f"page: {server.url}   Zarr: {server.url}data.zarr", highlight=False, soft_wrap=True)
        if not _is_loopback(host):
            console.print(f"whoever reaches {host} can read {store}", highlight=False, soft_wrap=True, markup=False)
        server.run()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
