"""How a step of training is run: as it is, or on a GPU as one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import torch

WARM_UP = 3
"""Steps of a phase before it is recorded: kernels are compiled, libraries and the optimiser allocate what they keep."""


class Step(Protocol):
    """Runs steps."""

    def __call__(self, phase: Hashable) -> None:
        """One step; all that differs between steps of one phase lies in tensors that stay where they are."""


class EagerStep:
    """Runs each step as it is.

    Parameters
    ----------
    work
        One step of a phase.
    """

    def __init__(self, work: Callable[[Any], None]) -> None:
        self._work = work

    def __call__(self, phase: Hashable) -> None:
        """See `Step`."""
        self._work(phase)


class GraphStep:
    """Records a step once for each phase, and replays it: the host launches one graph instead of hundreds of kernels.

    The first steps of a phase are run as they are, on a stream beside; recording runs nothing. Every step is one of the
    training, none is repeated or left out.

    Parameters
    ----------
    work
        One step of a phase. It must not wait for the device, and must keep its results in tensors that stay.
    generators
        On the device, that the work draws from: a replay goes on where the last one ended.
    cuda
        What ``torch.cuda`` has, so that tests see the order of calls.
    """

    def __init__(
        self, work: Callable[[Any], None], generators: Sequence[torch.Generator], cuda: Any = torch.cuda
    ) -> None:
        self._work, self._generators, self._cuda = work, generators, cuda
        self._beside = cuda.Stream()
        self._phase: Hashable = None
        self._taken = 0
        self._graph: Any = None

    def __call__(self, phase: Hashable) -> None:
        """See `Step`."""
        if phase != self._phase:
            self._cuda.current_stream().synchronize()  # the last phase's graph goes, with the memory that it works in
            self._phase, self._taken, self._graph = phase, 0, None
        if self._taken < WARM_UP:
            self._run_beside(phase)
        else:
            if self._graph is None:
                self._graph = self._recorded(phase)
            self._graph.replay()
        self._taken += 1

    def _run_beside(self, phase: Hashable) -> None:
        """As torch asks for it: gradients are bound to the stream that first makes them."""
        current = self._cuda.current_stream()
        self._beside.wait_stream(current)
        with self._cuda.stream(self._beside):
            self._work(phase)
        current.wait_stream(self._beside)

    def _recorded(self, phase: Hashable) -> Any:
        graph = self._cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        # other threads of the process may decode on the device meanwhile: only this one's calls belong to the graph
        with self._cuda.graph(graph, stream=self._beside, capture_error_mode="thread_local"):
            self._work(phase)
        return graph
