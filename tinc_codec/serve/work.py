"""Work in threads: so much at a time, so much that waits, and nothing twice at once.

Threads are a server's own. A child that the process forks does not serve, and has no need of them: nothing is renewed
there, as `os.register_at_fork` would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tinc_codec.errors import RequestError

T = TypeVar("T")

Gone = Callable[[], Awaitable[bool]]
"""Whether the client of a request has gone away."""


class _Abandoned(Exception):  # noqa: N818  # no error: nobody waits for an answer
    """All who asked for a piece of work went away before its turn came."""


class Work:
    """The work of one event loop.

    Parameters
    ----------
    threads
        Pieces that are worked on at a time.
    requests
        Most requests that wait for one or are worked on.
    """

    def __init__(self, threads: int, requests: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tinc-serve")
        self._turn = asyncio.Semaphore(threads)
        self._limit = requests
        self._asked = 0
        self._pieces: dict[Hashable, _Piece] = {}

    async def do(self, key: Hashable, call: Callable[[], T], gone: Gone) -> T:
        """Call `call` in a thread, or wait for the same work that another request asked for.

        A request that is cancelled leaves the work to go on: others may wait for it, and threads cannot be stopped.

        Raises
        ------
        RequestError
            Too many wait; what `call` raises.
        """
        if self._asked >= self._limit:
            raise RequestError(f"{self._asked} requests wait already: ask again later", 503)
        self._asked += 1
        try:
            while True:
                piece = self._pieces.get(key)
                if piece is None:
                    piece = self._pieces[key] = _Piece()
                    piece.task = asyncio.create_task(self._one(key, piece, call))
                    piece.task.add_done_callback(_look)
                piece.waiting.append(gone)
                try:
                    answer: T = await asyncio.shield(piece.task)
                except _Abandoned:
                    if await gone():
                        raise RequestError("the client went away", 499) from None
                else:
                    return answer
        finally:
            self._asked -= 1

    async def _one(self, key: Hashable, piece: _Piece, call: Callable[[], Any]) -> Any:
        try:
            async with self._turn:
                if await piece.abandoned():
                    raise _Abandoned
                return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            del self._pieces[key]

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Piece:
    """A piece of work, and the requests that wait for it."""

    task: asyncio.Task[Any]

    def __init__(self) -> None:
        self.waiting: list[Gone] = []

    async def abandoned(self) -> bool:
        """Whether all have gone; others may come while they are asked."""
        for gone in self.waiting:
            if not await gone():
                return False
        return True


def _look(task: asyncio.Task[Any]) -> None:
    """Take an error that nobody waits for any more, which asyncio would complain of."""
    if not task.cancelled():
        task.exception()
