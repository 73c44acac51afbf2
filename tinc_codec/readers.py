"""Threads in which hosts that read asynchronously have chunks decoded: as many at a time as there are cores.

The event loop's own pool has more threads, which wait for the interpreter's lock and for each other.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from tinc_codec.runtime import cores

T = TypeVar("T")

PATIENCE = 1e-3
"""Seconds that an answer waits for others, so that the event loop is woken once for all of them."""


@cache
def readers() -> ThreadPoolExecutor:
    """The threads."""
    return ThreadPoolExecutor(cores(), thread_name_prefix="tinc-read")


async def alone(work: Callable[..., T], *arguments: Any) -> T:
    """Call `work` in one of the threads: for whole chunks."""
    return await asyncio.get_running_loop().run_in_executor(readers(), work, *arguments)


class _Asked:
    """Calls that were asked for at once, until threads have taken them."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def begin(self) -> None:
        """Have threads take the calls; no further ones come in."""
        _asked.pop(self.loop)
        for _ in range(min(len(self.calls), cores())):
            try:
                readers().submit(self._take)
            except RuntimeError as error:  # the interpreter ends
                self._answer([(future, None, error) for future, _ in self.calls])
                return

    def _take(self) -> None:
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        began = monotonic()
        while True:
            try:
                future, call = self.calls.popleft()
            except IndexError:
                break
            if future.cancelled():
                continue
            try:
                answers.append((future, call(), None))
            except BaseException as error:  # it is the caller's
                answers.append((future, None, error))
            if monotonic() - began > PATIENCE:
                self._send(answers)
                answers, began = [], monotonic()
        self._send(answers)

    def _send(self, answers: list[tuple[Future[Any], Any, BaseException | None]]) -> None:
        if answers and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._answer, answers)

    @staticmethod
    def _answer(answers: list[tuple[Future[Any], Any, BaseException | None]]) -> None:
        for future, answer, error in answers:
            if future.done():  # nobody waits for it any more
                continue
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)


_asked: WeakKeyDictionary[AbstractEventLoop, _Asked] = WeakKeyDictionary()


async def together(work: Callable[..., T], *arguments: Any) -> T:
    """Call `work` in one of the threads: for parts of chunks, which take little longer than a change of threads.

    What tasks of an event loop ask for at once is shared out among the threads, and the loop is woken seldom.
    """
    loop = asyncio.get_running_loop()
    asked = _asked.get(loop)
    if asked is None:
        asked = _asked[loop] = _Asked(loop)
        loop.call_soon(asked.begin)
    future: Future[T] = loop.create_future()
    asked.calls.append((future, partial(work, *arguments)))
    return await future


def _forget() -> None:
    readers.cache_clear()
    _asked.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # threads do not survive a fork
