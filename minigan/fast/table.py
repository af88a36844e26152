"""What has a kernel, and where. A kernel's module is imported when the kernel is first called:
importing minigan reads this table only."""

import importlib

from ..arrays.random import DRAWS
from ..autograd import OPS
from ..engine import tensor
from ..ops import embedding, layout, loss, recurrent, rollout  # noqa: F401  (their cards)
from ..ops.update import AVERAGES, STEPS

CPU = {
    "activation": "tanh_grad leaky_relu leaky_relu_grad prelu prelu_grad prelu_weight_grad",
    "convolution": "conv conv_transpose conv_weight conv_activation activation_grad_and_sums",
    "elementary": "erf",
    "embedding": "add_rows",
    "extremes": "_extreme _share",
    "linear_activation": "linear_activation activation_grad",
    "group_normalization": "_group_norm group_norm_grad",
    "loss": "_bce _bce_logits mean_logsigmoid mean_logsigmoid_grad",
    "normalization": "_batch_norm batch_norm_grad",
    "pooling": "plane_gather plane_scatter window_argmax",
    "product": "linear weight_grad sum_rows",
    "recurrent": "lstm_steps",
    "softmax": "_softmax softmax_grad _log_softmax log_softmax_grad",
    "taps": "_taps",
}
CUDA = {
    "activation": "tanh tanh_grad sigmoid softplus logsigmoid relu leaky_relu leaky_relu_grad elu "
    "silu hardtanh",
    "convolution": "conv conv_transpose conv_weight channel_sums",
    "dropout": "_scales_of",
    "elementary": "erf",
    "embedding": "add_rows",
    "linear_activation": "linear_activation activation_grad",
    "extremes": "_share",
    "group_normalization": "_group_norm group_norm_grad",
    "indexing": "_setitem _scatter",
    "loss": "_bce_logits mean_logsigmoid mean_logsigmoid_grad",
    "normalization": "_batch_norm batch_norm_grad batch_norm_activation batch_norm_activation_grad",
    "pooling": "plane_gather plane_scatter window_argmax",
    "product": "matmul linear weight_grad sum_rows",
}


class Later:
    """Stands for a kernel until its module, which puts the kernel itself in this place, has been
    imported.

    kernels, key : the place;  module : "cpu.convolution"
    """

    def __init__(self, kernels, key, module):
        self.kernels, self.key = kernels, key
        self.module = module
        kernels[key] = self

    def kernel(self):
        importlib.import_module(f"{__package__}.{self.module}")
        return self.kernels[self.key]

    def __call__(self, *args):
        return self.kernel()(*args)


def entries():
    """(name of an op, "cpu" or "cuda", module)"""
    for place, table in (("cpu", CPU), ("cuda", CUDA)):
        for module, names in table.items():
            for name in names.split():
                yield name, place, f"{place}.{module}"


def announce(*ops):
    """Put the kernels of these ops on their cards, by name."""
    for name, place, module in entries():
        if name in ops:
            Later(OPS[name].card.kernels, place, module)


announce(*OPS)
for place, module, names in (
    ("cpu", "cpu.random", "integers32 uniform normal"),
    ("cuda", "cuda.philox", "integers32 uniform normal integers"),
):
    for name in names.split():
        Later(DRAWS, (name, place), module)
for place in ("cpu", "cuda"):
    Later(STEPS, place, "updates")
    Later(AVERAGES, place, "updates")
Later(tensor.row_major.kernels, "cpu", "cpu.layout")
Later(rollout.lstm_rollout.kernels, "cpu", "cpu.rollout")
Later(recurrent.lstm_steps_grad.kernels, "cpu", "cpu.recurrent")
Later(layout.constant.kernels, "cuda", "cuda.recorder")
Later(layout.by_position.kernels, "cuda", "cuda.columns")
