"""First and second derivatives of the same function in both worlds, with the same random
cotangents."""

import numpy as np
import torch
from pytorch.bridge import Different, Uncovered, compare, numbers, tensors

import minigan
from minigan.autograd import tensor_of


def cotangents(outputs, seed):
    """A standard normal array for each of PyTorch's `outputs`, in its dtype."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(tuple(y.shape)).astype(y.detach().numpy().dtype) for y in outputs]


def gradients(world, outputs, inputs, weights, more):
    """d(sum of outputs * weights)/d(inputs), recorded if `more`: a list with None for inputs that
    nothing depends on."""
    return world.autograd.grad(
        outputs, inputs, weights, create_graph=more, retain_graph=True, allow_unused=True
    )


def check(ours, theirs, our_inputs, their_inputs, second=True, widen=1.0):
    """Compare the first derivatives of results `ours` and `theirs`, and the second if `second`.
    Returns how many orders there were.

    Raises Different with the order in front; `error.order` says which one it was.
    """
    their_outputs = [t for t in tensors(theirs, torch.Tensor) if t.requires_grad]
    our_outputs = [t for t in tensors(ours, minigan.Tensor) if t.requires_grad]
    if any(t.dtype.is_complex for t in their_outputs):
        raise Uncovered("complex")
    for order in (1, 2) if second else (1,):
        arrays = cotangents(their_outputs, order)
        their_weights = [torch.tensor(a, requires_grad=order == 1) for a in arrays]
        our_weights = [tensor_of(a.copy(), order == 1) for a in arrays]
        if not their_outputs or not their_inputs:
            return order - 1
        try:
            expected = gradients(
                torch, their_outputs, their_inputs, their_weights, order == 1 and second
            )
        except RuntimeError as error:
            if (
                order == 2
                and "does not require grad" in str(error)
                or "derivative for" in str(error)
            ):
                return order - 1
            raise Uncovered(str(error)) from error
        try:
            found = gradients(minigan, our_outputs, our_inputs, our_weights, order == 1 and second)
            for i, (a, b) in enumerate(zip(found, expected)):
                what = f"gradient {order} of argument {i}: "
                if a is None or b is None:  # nothing depends on it: as good as zeros
                    rest = a.detach().numpy() if b is None and a is not None else b
                    rest = (
                        rest.detach().numpy(force=True) if isinstance(rest, torch.Tensor) else rest
                    )
                    if rest is not None:
                        numbers(rest, np.zeros_like(rest), what)
                    continue
                numbers_of = b.detach() if not second or order == 2 else b
                compare(
                    a.detach() if not second or order == 2 else like(a, b),
                    numbers_of,
                    what,
                    widen=widen,
                )
        except Exception as error:
            error.order = order
            raise
        if order == 2:
            return 2
        pairs = [(a, b) for a, b in zip(found, expected) if b is not None and b.requires_grad]
        if any(a is None or not a.requires_grad for a, _ in pairs):
            error = Different("the gradient does not require a gradient, torch's does")
            error.order = 2
            raise error
        our_outputs, their_outputs = [a for a, _ in pairs], [b for _, b in pairs]
        our_inputs, their_inputs = [*our_inputs, *our_weights], [*their_inputs, *their_weights]
    return 1


def like(a, b):
    """`a`, whose `requires_grad` may be False where PyTorch's is True: order 2 judges that."""
    return a if a.requires_grad == b.requires_grad else tensor_of(a.detach().array, b.requires_grad)
