"""Words for the order of elements in memory, under torch's names. `memory_format=` is accepted
everywhere and has no effect: minigan lays an array out as the kernels that follow want it."""


class _Word:
    """What such an argument takes, printed as torch prints it."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"torch.{self._name}"


channels_last, contiguous_format = _Word("channels_last"), _Word("contiguous_format")
channels_last_3d, preserve_format = _Word("channels_last_3d"), _Word("preserve_format")
strided = _Word("strided")
