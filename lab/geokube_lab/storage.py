"""Files that are replaced as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, content: str | bytes, mode: int = 0o644) -> bool:
    """Write a file so that nobody ever reads half of it; whether it changed. Its folder is made when it is missing."""
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
    temporary.rename(path)
    return True
