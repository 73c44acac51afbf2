"""`tinc bench`: studies on the real volumes, or tinc beside its peers on anyone's data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tinc_codec.bench.names import PEER_NAMES, STUDY_NAMES
from tinc_codec.cli.output import Json, check_file, numbers, print_json, progress, wide_console, write
from tinc_codec.cli.reporting import interruptible
from tinc_codec.errors import ConfigurationError

RATIOS = (16.0, 32.0, 64.0, 128.0)
"""What is asked for where nothing is."""

_WIDE = 125
"""Columns of a terminal that show all figures; on others those are left out that can be spared."""

STUDY_EFFORT, EFFORTS = 3, (1, 3)


def _studies(incomplete: str) -> list[str]:
    return [name for name in STUDY_NAMES if name.startswith(incomplete)]


def _peers(incomplete: str) -> list[str]:
    return [name for name in PEER_NAMES if name.startswith(incomplete)]


_List = str | None


def bench_command(
    data: Annotated[
        str,
        typer.Argument(
            help="A .npy, a TIFF, a Zarr array or group, or an OME-Zarr image, by path or URL; or the name of a study "
            f"on the real volumes (TINC_DATA): {', '.join(STUDY_NAMES)}. A study wins: data of such a name are ./NAME.",
            autocompletion=_studies,
            metavar="DATA|STUDY",
        ),
    ],
    ratio: Annotated[_List, typer.Option(help="Ratios, as in 16,32,64,128 (where nothing is asked for).")] = None,
    psnr: Annotated[_List, typer.Option(help="dB, as in 40,50.")] = None,
    max_error: Annotated[_List, typer.Option(help="Largest errors in the data's units, as in 10,20.")] = None,
    noise: Annotated[_List, typer.Option(help="Largest errors in multiples of the noise, as in 1,2,4.")] = None,
    effort: Annotated[_List, typer.Option(help="Efforts of tinc, as in 1,3; one for a study.")] = None,
    crop: Annotated[_List, typer.Option(help="Part of the data, as in 0:64,128:256,:; else the busiest.")] = None,
    peers: Annotated[
        _List, typer.Option(help=f"Some of {','.join(PEER_NAMES)}; all by default.", autocompletion=_peers)
    ] = None,
    page: Annotated[Path | None, typer.Option(help="File for a page with plots and slices (.html).")] = None,
    output: Annotated[Path | None, typer.Option(help="File for the results as JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Compare tinc with classical codecs on your data at equal bytes, or run a study on the real volumes."""
    with interruptible("stopped"):
        check_file("page", page)
        check_file("output", output)
        efforts = tuple(map(int, numbers("effort", effort, whole=True)))
        if data in STUDY_NAMES:
            given = {"ratio": ratio, "psnr": psnr, "max-error": max_error, "noise": noise, "crop": crop, "peers": peers}
            extra = [f"--{name}" for name, value in {**given, "page": page}.items() if value is not None]
            if extra or len(efforts) > 1:
                raise ConfigurationError(
                    f"{data!r} is a study, which takes no {', '.join(extra) or 'several efforts'}: for data of this "
                    f"name give ./{data}"
                )
            results: Any = _run_study(data, efforts[0] if efforts else STUDY_EFFORT, as_json)
        else:
            asked = {"ratios": ratio, "psnrs": psnr, "max_errors": max_error, "noises": noise}
            values = {name: numbers(name[:-1], text) for name, text in asked.items()}
            results = _run_on_data(data, values, efforts or EFFORTS, crop, peers, page, as_json)
        if output is not None:
            write("output", output, json.dumps(results, indent=1) + "\n")
        if as_json:
            print_json(results)


def _run_study(name: str, effort: int, as_json: bool) -> list[dict[str, Any]]:
    from tinc_codec.bench.studies import STUDIES

    console, results = Console(stderr=as_json), []
    for result in STUDIES[name](effort):
        results.append(result.as_json())
        console.print(result.line, highlight=False, soft_wrap=True)
    return results


def _run_on_data(
    given: str,
    values: dict[str, tuple[float, ...]],
    efforts: Sequence[int],
    crop: str | None,
    peers: str | None,
    page: Path | None,
    as_json: bool,
) -> dict[str, Any]:
    from tinc_codec.bench.comparison import LeftOut, Trial
    from tinc_codec.bench.data import choose_crop, open_image, parse_crop, shown
    from tinc_codec.bench.data_study import Asked, study

    if not any(values.values()):
        values = {**values, "ratios": RATIOS}
    asked = Asked(**values, efforts=efforts, peers=_chosen(peers))
    asked.goals(1.0)  # what cannot be asked for is said before anything is read
    if "/" not in given and not Path(given).exists():
        raise ConfigurationError(f"{given!r} is neither a file here nor a study; studies are {', '.join(STUDY_NAMES)}")
    image = open_image(given)
    region = choose_crop(image) if crop is None else parse_crop(crop, tuple(image.reader.shape))
    with progress() as follow:
        follow(f"{image.name} [{shown(region)}]")

        def show(result: Trial | LeftOut) -> None:
            follow(f"{result.goal} {result.codec}")

        done = study(image, region, asked, show)
    if not as_json:
        _print(wide_console(), done)
    if page is not None:
        from tinc_codec.bench.page import page as make_page

        write("page", page, make_page(done))
    return done.as_json()


def _chosen(text: str | None) -> tuple[Any, ...]:
    """Peers by their names on the command line."""
    from tinc_codec.bench.comparison import PEERS

    known = dict(zip(PEER_NAMES, PEERS, strict=True))
    if text is None:
        return PEERS
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ConfigurationError(f"peer {name!r} is not known; known are {', '.join(known)}")
    return tuple(known[name] for name in names)


def _print(console: Console, done: Any) -> None:
    """Print a table for each goal, and what was left out."""
    from tinc_codec.bench.page import COLUMNS, best

    volume = done.reference.volume
    console.print(
        f"{done.image.name} [{done.where}]: {'x'.join(map(str, volume.shape))} {volume.dtype}, {volume.nbytes:,} "
        f"bytes, noise {done.reference.noise:.4g}, {done.reference.blob_count:,} blobs",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    for note in done.notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True, markup=False)
    for goal in done.goals:
        trials = [trial for trial in done.trials if trial.goal == goal]
        table = Table(title=goal, title_justify="left", padding=(0, 0, 0, 1), box=None)
        table.add_column("codec", no_wrap=True)
        columns = [column for column in COLUMNS if console.width >= _WIDE or not column.spared]
        winners = [best(trials, column) if len(trials) > 1 else set() for column in columns]
        for column in columns:
            table.add_column(column.name, justify="right", no_wrap=True)
        for place, trial in enumerate(trials):
            cells = [
                f"[bold]{column.text(trial)}[/]" if place in winning else column.text(trial)
                for column, winning in zip(columns, winners, strict=True)
            ]
            table.add_row(trial.codec, *cells)
        console.print(table)
    for left in done.left_out:
        where = f" at {left.goal}" if left.goal else ""
        console.print(f"left out: {left.codec}{where}: {left.reason}", highlight=False, soft_wrap=True, markup=False)
