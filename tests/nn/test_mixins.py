"""A Module with a class beside it: who calls whose __init__ is torch's."""

import pytest

from minigan import nn, ones


class Normalised:
    def __init__(self, n_dim, num_iters=1):
        self.num_iters = num_iters
        self.register_buffer("u", ones(1, n_dim))


class Layer(nn.Linear, Normalised):
    """Both are initialised by name; Linear's own super().__init__() does not go on to
    Normalised."""

    def __init__(self, n_in, n_out, **named):
        nn.Linear.__init__(self, n_in, n_out, **named)
        Normalised.__init__(self, n_dim=n_out)


def test_a_mixin_is_initialised_by_who_uses_it():
    layer = Layer(2, 3, bias=False)
    assert list(layer.state_dict()) == ["weight", "u"] and layer.num_iters == 1


def test_call_super_init_goes_on():
    class Counted:
        def __init__(self, count=0):
            self.count = count

    class Goes(nn.Module, Counted):
        call_super_init = True

        def __init__(self):
            super().__init__(count=3)

    class Stops(nn.Module, Counted):
        def __init__(self):
            super().__init__()

    assert Goes().count == 3 and not hasattr(Stops(), "count")


def test_module_takes_no_arguments():
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__(3)

    with pytest.raises(TypeError, match=r"Wrong: .*no arguments, got \(3,\)"):
        Wrong()
