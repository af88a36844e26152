"""Is the table complete? A card or public function without a case fails here."""

import inspect

from ops import table
from ops.case import families, function_named
from ops.table import CASES

import minigan.ops
from minigan.autograd import OPS

# Tested in files of their own, because a table of inputs and outputs does not describe them.
CREATION = (
    "arange as_tensor empty empty_like eye from_numpy full full_like linspace ones "
    "ones_like tensor zeros zeros_like"
)
SAMPLING = (
    "alpha_dropout bernoulli categorical dropout feature_alpha_dropout feature_dropout "
    "gumbel_softmax "
    "multinomial normal rand rand_like randint randint_like randn randn_like randperm rrelu"
)
# Rules that are kernels of their own, on arrays only: `test_the_kernel_of_a_rule` holds them
# against their references.
RULES = "batch_norm_grad group_norm_grad mean_logsigmoid_grad window_argmax"
ELSEWHERE = {*table.ELSEWHERE, *RULES.split(), *CREATION.split(), *SAMPLING.split()}
ELSEWHERE |= {"allclose", "equal", "is_floating_point", "is_tensor", "numel"}
# in test_more.py
ELSEWHERE |= set(
    "broadcast_shapes float_power tril_indices triu_indices unique_consecutive where".split()
)


def test_every_card_has_a_case():
    own = {name for name, op in OPS.items() if op.__module__.startswith("minigan.")}
    missing = own - {c.op for c in CASES} - ELSEWHERE
    assert not missing, f"ops without a case in tests/ops/cases_*.py: {sorted(missing)}"


def test_every_public_function_has_a_case():
    # the functions themselves: some have two names
    tested = {function_named(c.name.partition(":")[0]) for c in CASES}
    public = {
        name: f
        for module in families()
        for name, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_")
        and name in getattr(module, "__all__", [name])
    }  # fmt: skip
    missing = {name for name, f in public.items() if f not in tested} - ELSEWHERE
    assert not missing, f"public functions of minigan.ops without a case: {sorted(missing)}"


def test_labels_are_unique():
    names = [c.name for c in CASES]
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})


def test_the_list_of_exceptions_is_current():
    stale = {n for n in ELSEWHERE if n not in OPS and not hasattr(minigan.ops, n)}
    assert not stale, f"named in ELSEWHERE, but gone: {stale}"
    twice = ELSEWHERE & {c.op for c in CASES}
    assert not twice, f"named in ELSEWHERE though they have a case: {twice}"
