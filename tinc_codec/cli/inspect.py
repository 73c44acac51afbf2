"""`tinc inspect`: what a stream or a store holds, as tables, JSON or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tinc_codec.cli import tables
from tinc_codec.cli.output import Json, check_file, print_json
from tinc_codec.decoding.inspect import StreamInfo, inspect
from tinc_codec.errors import ConfigurationError
from tinc_codec.runtime.usable import usable


def inspect_command(
    path: Annotated[Path, typer.Argument(help="A stream, or a Zarr store.")],
    image: Annotated[
        Path | None, typer.Option(help="File for a picture (.png): the middle plane, ratio and PSNR of its chunks.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the tree, the bytes of each section, the bits a weight and the quality of what is stored."""
    if image is not None:
        from tinc_codec.cli.pictures import check_image

        check_file("image", image)
        check_image(image)
    with usable(f"path {str(path)!r}"):
        if path.is_dir():
            from tinc_codec.hosts.stored import stored_chunks

            infos = [(key, inspect(data)) for key, data in stored_chunks(path)]
        else:
            infos = [(path.name, inspect(path.read_bytes()))]
    if not infos:
        raise ConfigurationError(f"{path} holds no TINC stream: give a stream, or a Zarr store with arrays of TINC's")
    if image is not None:
        _draw(path, infos, image)
    if as_json:
        print_json([{"key": key, **tables.as_json(info)} for key, info in infos])
        return
    console = Console()
    if len(infos) > 1:
        tables.print_store(console, infos)
        console.print("The first of them:")
    tables.print_stream(console, *infos[0])


def _draw(path: Path, infos: list[tuple[str, StreamInfo]], image: Path) -> None:
    """Write the picture of what is stored at a path."""
    from tinc_codec.cli.pictures import draw, plane_of_store, plane_of_stream

    stored = path.is_dir()
    plane = plane_of_store(path, infos) if stored else plane_of_stream(path.name, path.read_bytes(), infos[0][1])
    with usable(f"image {str(image)!r}"):
        draw(plane, image)
