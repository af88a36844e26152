"""How a run looks in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

from . import facts, pictures

ROOM = 400_000  # bytes of a picture
STYLE = """<style>.minigan-run svg { max-width: 480px; display: block }
.minigan-run svg text { fill: currentColor; font-size: 11px }
.minigan-run svg .rule { stroke: currentColor; opacity: .15 }
.minigan-run svg polyline { fill: none; stroke-width: 1.7 } .minigan-run svg polygon { opacity: .2 }
.minigan-run .c0 { stroke: #0072b2; color: #0072b2 } .minigan-run .c1 { stroke: #d55e00; color:
#d55e00 } .minigan-run .c0, .minigan-run .c1 { fill: none }</style>"""


def card(run: Any) -> str:
    """HTML: where it is, how far, its players, its newest picture and curves."""
    count = lambda player: sum(p.numel() for p in player.parameters())
    players = ", ".join(f"{n} {count(p):,}" for n, p in run.trainer.game.players.items())
    head = {
        "folder": run.folder,
        "game": type(run.trainer.game).__name__,
        "step": f"{run.step:,} of {run.total:,} (epoch {run.epoch})",
        "parameters": players,
        "doctor": ", ".join(run.warnings) or "nothing found",
    }
    rows = "".join(
        f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in head.items()
    )
    parts = [f'{STYLE}<div class="minigan-run"><table>{rows}</table>']
    if (last := pictures.shots_of(run.folder)[-1:]) and last[0].suffix in pictures.KINDS:
        said = f"Samples after step {int(last[0].stem)}"
        source = pictures.in_page(last[0], ROOM)
        parts.append(f'<p>{said}</p><img src="{source}" alt="{said}">')
    for panel in facts.curves_of(facts.rows_of(run.folder))[:2]:
        keys = "; ".join(
            f'<span class="c{i}">{escape(name)}</span>: {value:.4g}'
            for i, (name, value) in enumerate(panel["last"])
        )
        parts.append(f"<p>{keys}</p>{panel['svg']}")
    return "".join([*parts, "</div>"])
