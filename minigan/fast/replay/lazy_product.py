"""Products that are computed where they are used: the gradient of a weight that only an optimiser
asks for.

The gradient of a weight is as large as the weight, and after the optimiser's step nobody needs it.
A step that is repeated (`program`) knows that beforehand (`fast.deferred`). The rule then gives the
two factors, g^T and x, and the optimiser multiplies a few rows of them at a time, uses them where
they are, in the cache next to the core, and forgets them: memory never sees the gradient.
"""

from ..cpu.matmul import in_cache, tiled_matmul

__all__ = ["LazyProduct", "lazy_product", "owner"]


class LazyProduct:
    """a @ b, not computed yet: a (M, K), b (K, N)."""

    __slots__ = ("a", "b", "dtype", "shape")

    def __init__(self, a, b):
        self.a, self.b = a, b
        self.dtype, self.shape = a.dtype, (len(a), b.shape[1])

    def array(self):
        """It is computed after all."""
        return tiled_matmul(self.a, self.b)

    def reads(self, memory):
        """Does it read memory that belongs to one of these arrays, given by the ids of their
        owners?"""
        return id(owner(self.a)) in memory or id(owner(self.b)) in memory


def lazy_product(g, x):
    """g^T @ x, a LazyProduct where rows of it can be computed one by one."""
    return LazyProduct(g.T, x) if in_cache(g.T, x) else tiled_matmul(g.T, x)


def owner(array):
    """The array whose memory this is a view of, also by way of other objects, or itself."""
    while (
        base := array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
    ) is not None:
        array = base
    return array
