# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Memory that was given back is the system's again."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, pathlib, re, sys
from style_transfer.memory import LARGE_BLOCK, return_large_blocks
if sys.argv[1] == "set":
    assert return_large_blocks()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
library.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
size = 2 * LARGE_BLOCK
# Freeing one teaches the C library to keep others of its size; a small block above them holds them there.
library.free(library.malloc(size))
blocks = [library.malloc(size) for _ in range(4)]
for block in blocks:
    library.memset(block, 1, size)
above = library.malloc(1 << 20)
for block in blocks:
    library.free(block)
print(int(re.search(r"VmRSS:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""


def resident(choice: str) -> int:
    """Mebibytes that a process has after it gave 64 back."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, choice], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="about GNU's C library")
def test_large_blocks_go_back_to_the_system() -> None:
    assert resident("set") < resident("not") - 50
