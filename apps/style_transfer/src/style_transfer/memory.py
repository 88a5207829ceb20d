# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the C library keeps memory that was given back: by default, pictures of strangers fragment it for good."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
#: Larger blocks go back to the system at once. The C library raises this to 32 MiB by itself as such blocks are freed.
LARGE_BLOCK = 8 << 20
ARENAS = 2


def return_large_blocks() -> bool:
    """Set both; returns whether they hold, which they do not where the C library is not GNU's."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)) and bool(mallopt(_M_ARENA_MAX, ARENAS))
