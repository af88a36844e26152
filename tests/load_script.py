"""Programs of examples/ and benchmarks/, which belong to no package, as modules."""

import importlib.util


def load_script(path):
    """The module of a file, executed anew."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
