#!/usr/bin/env python3
"""Digits by games that need other players than a G and a D that gives one number: auto-encoders as
D, encoders, several generators. Each is a system, too: `python -m minigan train ebgan` is the same
as --game ebgan; it has the options of that system, and the run is in runs/ebgan.

    # an energy-based GAN with the pulling-away term
    python examples/mnist_games.py --game ebgan-pt
    # its k and measure of convergence are in metrics.jsonl
    python examples/mnist_games.py --game began --gamma 0.7
    python examples/mnist_games.py --game unrolled --unroll 5
"""

import argparse
import sys

from minigan.systems.command import main as command

# --game -> a system and its options
GAMES = {"ebgan-pt": ["ebgan", "--pull-away", "0.1"]} | {
    name: [name]
    for name in (
        "ebgan", "began", "magan", "unrolled", "madgan", "mrgan", "mdgan", "veegan", "cgan",
    )
}  # fmt: skip


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False, allow_abbrev=False,
    )  # fmt: skip
    p.add_argument("--game", choices=GAMES, default="ebgan-pt", help="(default %(default)s)")
    chosen, words = p.parse_known_args(arguments)
    if {"-h", "--help"} & set(words):
        p.print_help()
        print("\nand, of this game:\n")
    return command(["train", *GAMES[chosen.game], *words])


if __name__ == "__main__":
    sys.exit(main())
