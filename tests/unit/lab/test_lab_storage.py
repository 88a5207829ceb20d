"""Files are replaced whole, keep their mode, and say whether they changed."""

from __future__ import annotations

from pathlib import Path

from geokube_lab.storage import replace


def test_a_file_is_made_with_its_folder_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "key"
    assert replace(path, b"secret", 0o600)
    assert path.read_bytes() == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert replace(path, "one")
    inode = path.stat().st_ino
    assert not replace(path, "one")
    assert path.stat().st_ino == inode
    assert replace(path, "two")
    # A reader that has the old one open still reads all of it.
    assert path.stat().st_ino != inode
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
