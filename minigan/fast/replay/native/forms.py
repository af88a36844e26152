"""What a program calls, in machine code: for each op the calls that its kernel makes, with the same
choices by sizes and layouts, so that the results are the same to the bit.

A form is a function (native, *args) of fixed arrays and other things, which appends calls to
`native.code` and gives the arrays where their results will be.
"""

from ....machine.threads import num_threads
from ...cpu.kernels import compiled

# name of an op, a function or method, or the class of an object that is called -> its form
FORMS: dict = {}


def form(*keys):
    """Decorator: the form of these."""

    def put(function):
        FORMS.update(dict.fromkeys(keys, function))
        return function

    return put


def call(native, kernel, *args):
    """A call of a `kernel`."""
    return native.code.call(compiled(kernel.reference), *args)


def shared(native, kernel, dtype, most, *args):
    """A call of a `SharedKernel`."""
    code, most = native.code, min(most, num_threads())
    begin, *addresses = kernel._compiled(dtype.char)
    if most > 1:
        native.most = max(native.most, most)
        code.parts = code.call(begin, code.records, code.workers, *addresses, *args)
    else:
        code.call(begin, 0, 0, *addresses, *args)
