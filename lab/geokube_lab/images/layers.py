"""Layers from files: deterministic tar and gzip, so that the same content has the same digest everywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from geokube_lab.images.store import Layer, Store

# Part of every key: a change in how layers are packed makes them anew.
FORMAT = "1"
COMPRESSION = 6
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True)
class File:
    """A regular file of an image: its bytes or a file of this machine, and who may do what with it."""

    content: bytes | Path
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Symlink:
    """A symbolic link of an image."""

    target: str


@dataclass(frozen=True)
class Directory:
    """A directory of an image that must exist, or must have other rights than 0755 root."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0


Entry = File | Symlink | Directory
Content = Entry | bytes | Path


class _Measured:
    """A file object that hashes what passes through it."""

    def __init__(self, target: IO[bytes]) -> None:
        self.target = target
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self.target.write(data)

    def flush(self) -> None:
        self.target.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self.hash.hexdigest()}"


def expand(files: Mapping[str, Content]) -> dict[str, Entry]:
    """Image paths (absolute) to entries; a directory of this machine stands for all it holds, less caches."""
    entries: dict[str, Entry] = {}
    for name, content in files.items():
        path = PurePosixPath(name)
        if not path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{name!r}: a path in an image must be absolute and without '..'")
        if len(path.parts) > 2 and path.parts[1] in MERGED:
            # A directory of this name would hide the link of the Debian layer below it.
            raise ValueError(f"{name!r}: write /usr{name}, /{path.parts[1]} is a symbolic link in Debian")
        if isinstance(content, bytes):
            entries[str(path)] = File(content)
        elif isinstance(content, Path):
            entries.update(_of_machine(path, content))
        else:
            entries[str(path)] = content
    return entries


def _of_machine(path: PurePosixPath, source: Path) -> Iterator[tuple[str, Entry]]:
    if source.is_symlink():
        yield str(path), Symlink(str(source.readlink()))
    elif source.is_dir():
        # A directory's rights are Debian's, not the umask's of whoever unpacked it.
        yield str(path), Directory()
        for child in sorted(source.iterdir()):
            if child.name != "__pycache__":
                yield from _of_machine(path / child.name, child)
    elif source.is_file():
        yield str(path), File(source, 0o755 if os.access(source, os.X_OK) and source.stat().st_mode & 0o111 else 0o644)
    else:
        raise FileNotFoundError(f"{source}: no such file or directory, wanted in an image as {path}")


def write_layer(store: Store, entries: Mapping[str, Entry]) -> Layer:
    """Pack entries into a blob of the store, in the order of their names and without times or owners' names."""
    blobs = store.directory / "blobs" / "sha256"
    descriptor, temporary = tempfile.mkstemp(dir=blobs, prefix=".layer.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            packed = _Measured(file)
            with gzip.GzipFile("", "wb", COMPRESSION, cast(IO[bytes], packed), mtime=0) as compressed:
                plain = _Measured(cast(IO[bytes], compressed))
                with tarfile.open(fileobj=cast(IO[bytes], plain), mode="w|", format=tarfile.PAX_FORMAT) as archive:
                    for name in sorted(entries):
                        _add(archive, name, entries[name])
        layer = Layer(packed.digest, plain.digest, Path(temporary).stat().st_size)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(store.blob_path(layer.digest))
        return layer
    finally:
        Path(temporary).unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, entry: Entry) -> None:
    header = tarfile.TarInfo(name.removeprefix("/"))
    if isinstance(entry, Symlink):
        header.type, header.linkname, header.mode = tarfile.SYMTYPE, entry.target, 0o777
        archive.addfile(header)
        return
    header.mode, header.uid, header.gid = entry.mode, entry.uid, entry.gid
    if isinstance(entry, Directory):
        header.type = tarfile.DIRTYPE
        archive.addfile(header)
    elif isinstance(entry.content, bytes):
        header.size = len(entry.content)
        archive.addfile(header, io.BytesIO(entry.content))
    else:
        header.size = entry.content.stat().st_size
        with entry.content.open("rb") as file:
            archive.addfile(header, file)


def fingerprint(entries: Mapping[str, Entry]) -> str:
    """A hex digest of what a layer of these entries would hold."""
    digest = hashlib.sha256()
    for name in sorted(entries):
        entry = entries[name]
        facts: list[object] = [name, type(entry).__name__]
        if isinstance(entry, Symlink):
            facts.append(entry.target)
        else:
            facts += [entry.mode, entry.uid, entry.gid]
        if isinstance(entry, File):
            facts.append(_content_digest(entry.content))
        digest.update(json.dumps(facts).encode())
    return digest.hexdigest()


def _content_digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_layer(files: Mapping[str, Content], store: Store | None = None) -> Layer:
    """A layer of given files.

    `files` maps absolute paths in the image to bytes (mode 0644), a Path of this machine (a file keeps only
    whether it is executable; a directory stands for its whole content), or a File, Symlink or Directory.
    """
    store = store or Store()
    entries = expand(files)
    key = hashlib.sha256(f"files {FORMAT} {COMPRESSION} {fingerprint(entries)}".encode()).hexdigest()
    with store.locked(key):
        known = store.known_layer(key)
        if known is None:
            known = write_layer(store, entries)
            store.remember_layer(key, known)
    return known
