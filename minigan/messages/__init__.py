"""What errors and warnings say: the op by its user's name, the arguments, the reason, the line of
the program."""

from .warning import warn as warn
