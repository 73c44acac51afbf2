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
from functools import cache
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from tinc_codec.runtime.settings import cores

T = TypeVar("T")

PATIENCE = 5e-3
"""Seconds that an answer waits for others, so that the event loop is woken once for all of them."""

AHEAD = 8
"""Most chunks that are prepared and wait to be decoded, so that memory does not grow with the chunks."""


@cache
def readers() -> ThreadPoolExecutor:
    """The threads."""
    return ThreadPoolExecutor(cores(), thread_name_prefix="tinc-read")


async def alone(work: Callable[..., T], *arguments: Any) -> T:
    """Call `work` in one of the threads: for whole chunks."""
    return await asyncio.get_running_loop().run_in_executor(readers(), work, *arguments)


async def together(prepare: Callable[[], Callable[[], T]]) -> T:
    """Have a part of a chunk decoded, which takes little longer than a change of threads.

    What tasks of an event loop ask for at once is shared out among the threads, and the loop is woken seldom.

    Parameters
    ----------
    prepare
        Reads and parses; answers with what decodes. Parsing holds the interpreter's lock for most of its time, decoding
        seldom: as far as possible one thread parses while the others decode.
    """
    loop = asyncio.get_running_loop()
    asked = _asked.get(loop)
    if asked is None:
        asked = _asked[loop] = _Asked(loop)
        loop.call_soon(asked.begin)
    future: Future[T] = loop.create_future()
    asked.calls.append((future, prepare))
    return await future


_Answers = list[tuple[Future[Any], Any, BaseException | None]]


class _Asked:
    """What was asked for at once, until threads have done it."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.calls: deque[tuple[Future[Any], Callable[[], Callable[[], Any]]]] = deque()
        self.prepared: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self.preparing: deque[None] = deque()  # of the length that says how many threads do; counts would need a lock

    def begin(self) -> None:
        """Let threads begin; no further calls come in."""
        _asked.pop(self.loop)
        for _ in range(min(len(self.calls), cores())):
            try:
                readers().submit(self._work)
            except RuntimeError as error:  # the interpreter ends
                self._answer([(future, None, error) for future, _ in self.calls])
                return

    def _work(self) -> None:
        answers: _Answers = []
        began = monotonic()
        while self.calls or self.prepared:
            if not self._prepare(answers):
                self._decode(answers)
            if answers and monotonic() - began > PATIENCE:
                self._send(answers)
                answers, began = [], monotonic()
        self._send(answers)

    def _prepare(self, answers: _Answers) -> bool:
        """Prepare the next call, if that is what to do next."""
        if self.prepared and (self.preparing or len(self.prepared) >= AHEAD):
            return False
        self.preparing.append(None)
        try:
            future, prepare = self.calls.popleft()
            if not future.cancelled():
                _try(future, prepare, answers, lambda decode: self.prepared.append((future, decode)))
        except IndexError:
            return False
        finally:
            self.preparing.pop()
        return True

    def _decode(self, answers: _Answers) -> None:
        """Decode what is prepared, if another thread has not done it."""
        try:
            future, decode = self.prepared.popleft()
        except IndexError:
            return
        if not future.cancelled():
            _try(future, decode, answers, lambda answer: answers.append((future, answer, None)))

    def _send(self, answers: _Answers) -> None:
        if answers and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._answer, answers)

    @staticmethod
    def _answer(answers: _Answers) -> None:
        for future, answer, error in answers:
            if future.done():  # nobody waits for it any more
                continue
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)


def _try(future: Future[Any], step: Callable[[], T], answers: _Answers, then: Callable[[T], object]) -> None:
    """Do a step; an error is its caller's."""
    try:
        done = step()
    except BaseException as error:
        answers.append((future, None, error))
    else:
        then(done)


_asked: WeakKeyDictionary[AbstractEventLoop, _Asked] = WeakKeyDictionary()


def _forget() -> None:
    readers.cache_clear()
    _asked.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # threads do not survive a fork
