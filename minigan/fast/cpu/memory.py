"""Freed memory is kept for the next array.

The C library gives large blocks back to the system when they are freed. A training step then asks
for the same blocks again, thousands of times, and each new page costs a fault: a quarter of the
time of a convolution (measured).
"""

import contextlib
import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc


def keep_freed_memory():
    """Tell glibc to keep up to 1 GiB of freed memory. What the user has set in the environment
    (MALLOC_...) stays."""
    if any(name.startswith("MALLOC_") for name in os.environ) or "GLIBC_TUNABLES" in os.environ:
        return
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another system or C library
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  (others have a mallopt with other numbers)
        # the largest value it takes: larger blocks are always given back
        library.mallopt(M_MMAP_THRESHOLD, 1 << 25)
        library.mallopt(M_TRIM_THRESHOLD, 1 << 30)
