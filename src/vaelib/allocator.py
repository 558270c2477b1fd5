"""Keep the memory that a training frees, for its next step.

glibc hands large blocks back to the kernel as soon as they are freed. A training step frees and
asks for the same tens of megabytes again, and the page faults cost as much as the arithmetic.
"""

import ctypes
import platform

# The options' numbers in glibc's malloc.h, and values that no step of ours exceeds.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEEP = {M_MMAP_THRESHOLD: 1 << 30, M_TRIM_THRESHOLD: 1 << 30, M_TOP_PAD: 64 << 20}


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory in this process; do nothing with another C library.

    Returns:
        Whether glibc took the settings.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    taken = [mallopt(option, value) for option, value in KEEP.items()]
    return all(taken)
