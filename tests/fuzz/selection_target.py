"""Selections of chunks by atheris: ``python -m tests.fuzz.selection_target CORPUS -max_total_time=3600``.

atheris is none of the suite's dependencies: ``pip install atheris``. The corpus is any folder, an empty one, too.
"""

import sys
import warnings

import atheris
import numpy as np

with atheris.instrument_imports(include=["tinc_codec"]):
    from tests.fuzz.corpus import streams
    from tinc_codec import SelectionError, decode, set_process

CORPUS = [(stream, decode(stream)) for _, stream in streams()]


def one_input(data: bytes) -> None:
    """A part of a chunk is what NumPy gives of the whole, or an error where NumPy has one."""
    provider = atheris.FuzzedDataProvider(data)
    stream, whole = CORPUS[provider.ConsumeIntInRange(0, len(CORPUS) - 1)]
    set_process(decoder="numpy" if provider.ConsumeBool() else "numba")
    items = tuple(_item(provider) for _ in range(provider.ConsumeIntInRange(0, 5)))
    selection = items[0] if len(items) == 1 and items[0] is not None and provider.ConsumeBool() else items
    try:
        expected = np.array(whole[selection], whole.dtype)  # NumPy's scalars have lost their byte order
    except (IndexError, TypeError, ValueError, OverflowError):
        expected = None
    if expected is not None and expected.size > 2**16:
        return
    try:
        part = decode(stream, selection)
    except SelectionError:
        assert expected is None, selection
        return
    assert expected is not None, selection
    assert (part.shape, part.dtype) == (expected.shape, whole.dtype), selection
    assert part.tobytes() == expected.tobytes(), selection


def _item(provider: atheris.FuzzedDataProvider) -> object:
    def number() -> int:
        return provider.ConsumeIntInRange(-12, 12)

    def end() -> int | None:
        return number() if provider.ConsumeBool() else None

    match provider.ConsumeIntInRange(0, 8):
        case 0:
            return number()
        case 1 | 2:
            return slice(end(), end(), end())
        case 3:
            return Ellipsis
        case 4:
            return [number() for _ in range(provider.ConsumeIntInRange(0, 4))]
        case 5:
            return np.array([provider.ConsumeBool() for _ in range(provider.ConsumeIntInRange(0, 17))], bool)
        case 6:
            return None
        case 7:
            return provider.ConsumeBool()
        case _:
            shape = tuple(provider.ConsumeIntInRange(0, 3) for _ in range(provider.ConsumeIntInRange(0, 3)))
            return np.array([number() for _ in range(int(np.prod(shape, dtype=int)))], int).reshape(shape)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
