"""A bench as one page of HTML that needs nothing else: pictures are in it."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable
from dataclasses import dataclass

from tinc_codec.bench import plots
from tinc_codec.bench.comparison import LOSSLESS, Trial
from tinc_codec.bench.data_study import DataStudy, machine

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
td, th { padding: .2rem .7rem; text-align: right; } th { border-bottom: 2px solid #888; } td { border-bottom: 1px solid
#ddd; } td:first-child, th:first-child { text-align: left; }
tr.ours { background: #fdf0ef; } .best { font-weight: 700; }
img { max-width: 100%; } .note { color: #a00; } h2 { margin-top: 2.2rem; } small { color: #666; }
"""


@dataclass(frozen=True)
class Column:
    """One figure of a table: its name, how it is written, whether more or less is better, and if it can be spared."""

    name: str
    value: Callable[[Trial], float]
    form: str
    better: int = 0
    spared: bool = False

    def text(self, trial: Trial) -> str:
        """The figure of a trial; a dash where it has none."""
        value = self.value(trial)
        return "-" if math.isnan(value) else format(value, self.form)


COLUMNS = (
    Column("bytes", lambda t: t.stored_bytes, ","),
    Column("ratio", lambda t: t.ratio, ".1f", spared=True),
    Column("PSNR dB", lambda t: t.fidelity.psnr, ".2f", 1),
    Column("SSIM", lambda t: t.fidelity.ssim, ".4f", 1),
    Column("max error", lambda t: t.fidelity.max_error, ".4g", -1),
    Column("accuracy", lambda t: t.fidelity.threshold_accuracy, ".4f", 1, spared=True),
    Column("recall", lambda t: t.fidelity.blobs.recall, ".3f", 1, spared=True),
    Column("precision", lambda t: t.fidelity.blobs.precision, ".3f", 1, spared=True),
    Column("F1", lambda t: t.fidelity.blobs.f1, ".3f", 1),
    Column("Dice", lambda t: t.fidelity.segmented.dice, ".3f", 1),
    Column("bias %", lambda t: t.fidelity.brightness_bias, "+.2f"),
    Column("encode s", lambda t: t.encode_seconds, ".3f"),
    Column("decode s", lambda t: t.decode_seconds, ".3f"),
)

EXPLAINED = (
    "PSNR over the crop's range; SSIM over windows of 7 voxels along every axis; accuracy: voxels on the right side of "
    "Otsu's threshold; recall, precision and F1 of blobs of three sizes (maxima of differences of Gaussians, 5 "
    "deviations above the noise and 3 above the texture) against the original's; Dice of what lies above Otsu's "
    "threshold, each volume at its own; bias of the mean brightness of objects, in per cent of how far they stand out. "
    "Each peer is at the finest setting whose bytes stay within tinc's; seconds are of one run at that setting."
)


def best(trials: list[Trial], column: Column) -> set[int]:
    """Places of the trials that are best in a column."""
    texts = [column.text(trial) for trial in trials]
    values = [
        math.nan if text == "-" else column.better * column.value(trial)
        for text, trial in zip(texts, trials, strict=True)
    ]
    known = [value for value in values if not math.isnan(value)]
    if not column.better or not known:
        return set()
    first = texts[values.index(max(known))]
    return {place for place, text in enumerate(texts) if text == first}


def page(study: DataStudy) -> str:
    """The page.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    volume, title = study.reference.volume, html.escape(f"{study.image.name} [{study.where}]")
    goals = [goal for goal in study.goals if goal != LOSSLESS]
    facts = (
        f"{'x'.join(map(str, volume.shape))} {volume.dtype}, {volume.nbytes:,} bytes, noise "
        f"{study.reference.noise:.4g}, {study.reference.blob_count:,} blobs. {machine()}."
    )
    parts = [f"<h1>{title}</h1><p>{html.escape(facts)}</p>"]
    parts += [f'<p class="note">{html.escape(note)}</p>' for note in study.notes]
    parts.append("<h2>Quality over size</h2>" + _picture(plots.rate_distortion(study), "quality over size"))
    goal = _pictured(study, goals)
    parts.append(f"<h2>Slices at {html.escape(goal)}</h2>" + _picture(plots.slices(study, goal), "slices"))
    parts.append(f"<h2>Time at {html.escape(goal)}</h2>" + _picture(plots.seconds(study, goal), "seconds"))
    parts.append(f"<h2>What is lost, at {html.escape(goal)}</h2>" + _picture(plots.spectrum(study, goal), "spectrum"))
    parts += [_table(study, one) for one in study.goals]
    parts.append(f"<p><small>{html.escape(EXPLAINED)}</small></p>{_left_out(study)}")
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(parts)}</body></html>\n'


def _pictured(study: DataStudy, goals: list[str]) -> str:
    """The goal whose ratio is nearest to 64, as tinc has it."""
    ratios = {goal: next(t.ratio for t in study.trials if t.goal == goal) for goal in goals}
    return min(goals, key=lambda goal: abs(math.log(ratios[goal] / 64)))


def _picture(png: bytes, text: str) -> str:
    data = base64.b64encode(png).decode()
    return f'<p><img alt="{html.escape(text)}" src="data:image/png;base64,{data}"></p>'


def _table(study: DataStudy, goal: str) -> str:
    trials = [trial for trial in study.trials if trial.goal == goal]
    winners = [best(trials, column) if len(trials) > 1 else set() for column in COLUMNS]
    rows = []
    for place, trial in enumerate(trials):
        cells = [
            f'<td class="best">{column.text(trial)}</td>' if place in winning else f"<td>{column.text(trial)}</td>"
            for column, winning in zip(COLUMNS, winners, strict=True)
        ]
        kind = ' class="ours"' if trial.ours else ""
        rows.append(f"<tr{kind}><td>{html.escape(trial.codec)}</td>{''.join(cells)}</tr>")
    header = "".join(f"<th>{name}</th>" for name in ("codec", *(column.name for column in COLUMNS)))
    return f"<h2>{html.escape(goal)}</h2><table><tr>{header}</tr>{''.join(rows)}</table>"


def _left_out(study: DataStudy) -> str:
    items = [f"{left.codec}{f' at {left.goal}' if left.goal else ''}: {left.reason}" for left in study.left_out]
    if not items:
        return ""
    return "<h2>Left out</h2><ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in items) + "</ul>"
