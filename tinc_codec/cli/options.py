"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from tinc_codec.targets import MaxError


def bound(text: str) -> float:
    """A largest error, as in 12.5; as 2sigma it is refused, with advice."""
    try:
        return float(text)
    except ValueError:
        MaxError.parse(text, None)
        raise


MaxErrorOption = Annotated[
    float | None,
    typer.Option(parser=bound, metavar="<float>", help="Instead: largest error of any voxel; 0: lossless."),
]
"""What `TINCCodec` calls ``max_error``."""
