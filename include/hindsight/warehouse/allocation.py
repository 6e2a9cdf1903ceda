"""Allocation: what a process frees goes back to the system at once, instead of being kept for the next column."""

from __future__ import annotations

import ctypes

import pyarrow as pa

LARGE = 4 * 2**20  # bytes; smaller arrays come and go too often to be mapped each time
_M_MMAP_THRESHOLD = -3  # malloc.h of the GNU C library
_FIRST = pa.default_memory_pool()  # Arrow goes on using it for work of its own


def spare_memory() -> None:
    """Return what was freed until now to the system, and from now on every large array when it is freed.

    Arrow's pool and the heap of the GNU C library keep freed memory: of a window of a million rows 100 MB. With another
    C library only Arrow's pool is changed.
    """
    _FIRST.release_unused()
    pa.set_memory_pool(pa.system_memory_pool())
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "malloc_trim"):
        library.mallopt(_M_MMAP_THRESHOLD, LARGE)
        library.malloc_trim(0)
