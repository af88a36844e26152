"""G of a run inside a page."""


def packed(*_):
    raise NotImplementedError
