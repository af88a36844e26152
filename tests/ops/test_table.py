"""Is the table complete? A card or public function without a case fails here."""

import importlib
import inspect
import pkgutil

import minigan.ops
from minigan.autograd import OPS
from ops.table import CASES

# Tested elsewhere, because a table of inputs and outputs does not describe them.
ELSEWHERE = {
}  # fmt: skip


def modules():
    return [importlib.import_module(f"minigan.ops.{m.name}") for m in pkgutil.iter_modules(minigan.ops.__path__)]


def test_every_card_has_a_case():
    own = {name for name, op in OPS.items() if op.__module__.startswith("minigan.")}
    missing = own - {c.op for c in CASES} - set(ELSEWHERE)
    assert not missing, f"ops without a case in tests/ops/cases_*.py: {sorted(missing)}"


def test_every_public_function_has_a_case():
    tested = {c.name.partition(":")[0] for c in CASES} | {c.op for c in CASES}
    public = {
        name
        for module in modules()
        for name, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_") and hasattr(minigan.ops, name)
        and getattr(minigan.ops, name) is f
    }  # fmt: skip
    missing = public - tested - set(ELSEWHERE)
    assert not missing, f"public functions of minigan.ops without a case: {sorted(missing)}"


def test_labels_are_unique():
    names = [c.name for c in CASES]
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})


def test_the_list_of_exceptions_is_current():
    stale = {n for n in ELSEWHERE if n not in OPS and not hasattr(minigan.ops, n)}
    assert not stale, f"named in ELSEWHERE, but gone: {stale}"
    twice = set(ELSEWHERE) & {c.op for c in CASES}
    assert not twice, f"named in ELSEWHERE though they have a case: {twice}"
