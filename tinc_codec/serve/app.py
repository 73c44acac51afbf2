"""The web application: which path is answered by what, and how an answer goes over the network."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tinc_codec.errors import RequestError, SelectionError, TincError
from tinc_codec.serve.answers import PLAIN, Answer, refused
from tinc_codec.serve.codecs import ServedCodec
from tinc_codec.serve.limits import Limits
from tinc_codec.serve.looks import Looks
from tinc_codec.serve.nodes import Node, Nodes
from tinc_codec.serve.objects import objects_of
from tinc_codec.serve.paths import key_of
from tinc_codec.serve.plain import PlainStore
from tinc_codec.serve.pyramids import Pyramids
from tinc_codec.serve.ranges import Conditions, parse_tags
from tinc_codec.serve.work import Work

LEVELS, VIEW, API = "/levels/", "/view/", "/api/"
"""What other paths begin with than those of keys."""

PIECE = 2**18
"""Bytes that are handed to the network at a time: it takes no more while a client is slow."""

_EXPOSED = ["ETag", "Content-Range", "Content-Length", "Accept-Ranges", "Retry-After"]

_log = logging.getLogger("tinc_codec.serve")


@dataclass
class Outgoing:
    """Bytes of answers that are on their way."""

    limit: int
    nbytes: int = 0


class Sent(Response):
    """An answer that goes out in pieces, and counts until a client has taken it."""

    def __init__(self, answer: Answer, outgoing: Outgoing, head: bool) -> None:
        super().__init__(answer.body, answer.status, dict(answer.headers))
        self.headers["X-Content-Type-Options"] = "nosniff"
        if answer.status == 304:
            del self.headers["Content-Length"]
        self._outgoing, self._head = outgoing, head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        body = memoryview(b"" if self._head else self.body)
        self._outgoing.nbytes += len(body)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for at in range(0, len(body), PIECE):
                piece = bytes(body[at : at + PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._outgoing.nbytes -= len(body)


class Service:
    """A node of a store, as the routes answer for it.

    Parameters
    ----------
    root
        The array or group, as zarr opened it.
    codec
        What chunks are served with.
    limits
        On memory and work.
    """

    def __init__(self, root: Node, codec: ServedCodec, limits: Limits) -> None:
        self._objects = objects_of(root.store_path.store, root.store_path.path, limits.chunk)
        nodes = Nodes(root, self._objects)
        self._plain = PlainStore(self._objects, codec, limits)
        self._pyramids = Pyramids(nodes, self._plain)
        self._looks = Looks(nodes, self._plain, self._pyramids)
        self._work = Work(limits.decoding, limits.requests)
        self._outgoing = Outgoing(limits.outgoing)

    def close(self) -> None:
        """Let the threads end."""
        self._work.close()

    async def data(self, request: Request) -> Response:
        """A key of the store."""
        return await self._keyed(request, PLAIN, self._plain.answer)

    async def levels(self, request: Request) -> Response:
        """A key of an image that is not stored."""
        return await self._keyed(request, LEVELS, self._pyramids.answer)

    async def view(self, request: Request) -> Response:
        """A plane as a PNG."""
        return await self._looked(request, VIEW, self._looks.plane)

    async def chunk(self, request: Request) -> Response:
        """What is at a place, and the chunk that it lies in."""
        return await self._looked(request, f"{API}chunk/", self._looks.chunk)

    async def contrast(self, request: Request) -> Response:
        """The range of samples that is worth seeing."""
        return await self._looked(request, f"{API}contrast/", self._looks.contrast)

    async def arrays(self, request: Request) -> Response:
        """All that can be looked at."""
        return await self._answered(request, "arrays", self._looks.images)

    async def _keyed(self, request: Request, prefix: str, answer: Callable[[str, Conditions], Answer]) -> Response:
        header = request.headers.get
        conditions = Conditions(parse_tags(header("if-none-match")), header("range"), header("if-range"))
        key = key_of(request.scope["raw_path"], prefix.encode())
        if key is None:
            return self._send(request, refused(404, "no key of the store"))
        return await self._answered(request, (prefix, key, conditions), partial(answer, key, conditions))

    async def _looked(self, request: Request, prefix: str, answer: Callable[[str, Any], Answer]) -> Response:
        path = key_of(request.scope["raw_path"], prefix.encode())
        if path is None:
            return self._send(request, refused(404, "no path of the store"))
        query = dict(request.query_params)
        return await self._answered(request, (prefix, path, *sorted(query.items())), partial(answer, path, query))

    async def _answered(self, request: Request, key: Any, answer: Callable[[], Answer]) -> Response:
        """The response of an answer that is worked out in a thread; whatever goes wrong is never taken for data."""
        try:
            worked_out = await self._work.do(key, answer, request.is_disconnected)
        except RequestError as error:
            worked_out = refused(error.status, str(error))
        except SelectionError as error:
            worked_out = refused(400, str(error))
        except Exception as error:
            kind = "" if isinstance(error, TincError) else f"{type(error).__name__}: "
            _log.error("%s: %s%s", request.scope["path"], kind, error, exc_info=not isinstance(error, TincError))
            worked_out = refused(500, f"{kind}{error}")
        return self._send(request, worked_out)

    def _send(self, request: Request, answer: Answer) -> Response:
        if self._outgoing.nbytes + len(answer.body) > self._outgoing.limit and answer.status in (200, 206):
            answer = refused(503, f"{self._outgoing.nbytes} bytes wait to be taken by clients: ask again later")
        return Sent(answer, self._outgoing, request.method == "HEAD")


def page(request: Request) -> Response:
    """The page for a person."""
    return HTMLResponse(resources.files("tinc_codec.serve").joinpath("page.html").read_bytes())


def application(service: Service, origin: str) -> Starlette:
    """The application.

    Parameters
    ----------
    service
        What answers.
    origin
        The web site whose pages may read; ``*``: any.
    """
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[origin],
        allow_methods=["GET", "HEAD"],
        allow_headers=["*"],
        allow_private_network=True,
        expose_headers=_EXPOSED,
    )
    routes = [
        Route("/", page),
        Route(f"{PLAIN}{{path:path}}", service.data),
        Route(f"{LEVELS}{{path:path}}", service.levels),
        Route(f"{VIEW}{{path:path}}", service.view),
        Route(f"{API}arrays", service.arrays),
        Route(f"{API}chunk/{{path:path}}", service.chunk),
        Route(f"{API}contrast/{{path:path}}", service.contrast),
    ]
    app = Starlette(routes=routes, middleware=[cors])
    app.router.redirect_slashes = False
    return app
