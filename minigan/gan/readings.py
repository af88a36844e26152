"""The numbers of a round for the log."""

from __future__ import annotations

from .games import Move

NAMES = {"D": "d_value", "G": "g_loss"}  # the names that curves and the progress line know


def readings(moves: list[Move]) -> dict[str, float]:
    """The value of each player's last move (d_value, g_loss, else <player>_loss) and the means of what the moves report."""
    found = {}
    for move in moves:
        found[NAMES.get(move.player, f"{move.player.lower()}_loss")] = move.value.item()
        found.update({name: values.detach().mean().item() for name, values in move.report.items()})
    return found
