#!/usr/bin/env python3
"""The energies of data and fakes are held in a ratio gamma by a weight that is adapted.
Berthelot, Schumm, Metz 2017, BEGAN: Boundary Equilibrium Generative Adversarial Networks,
arXiv:1703.10717

    python examples/began.py                  # as python -m minigan train began
    python -m minigan measure runs/began

What to look at: k and the measure of convergence in metrics.jsonl.
"""

import sys

from minigan.systems.command import main

if __name__ == "__main__":
    sys.exit(main(["train", "began", *sys.argv[1:]]))
