"""torchvision, also where its compiled ops (nms ...) do not load: transforms and data sets need
none of them.

    python tests/compat/torchvision_alone.py program.py ...      runs a program that imports it
"""

import runpy
import sys


def load():
    """The module torchvision; ImportError where it is not installed."""
    import torch

    real = torch.library.register_fake

    def passing(name, *args, **options):
        decorate = real(name, *args, **options)

        def safely(function):
            try:
                return decorate(function)
            except RuntimeError as error:
                if "does not exist" not in str(error):
                    raise
                return function

        return safely

    torch.library.register_fake = passing
    try:
        import torchvision
    finally:
        torch.library.register_fake = real
    return torchvision


if __name__ == "__main__":
    load()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
