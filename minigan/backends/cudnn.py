"""Switches of cuDNN. Setting them has no effect: minigan's kernels give the same result in every run, and search for no other."""

benchmark = False
deterministic = True
enabled = True
