# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller: whole, with their mode, and secrets unseen."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.meridian.geokube.plugins.plugin_utils.controller_files import WantedFile, make_directories


def test_a_file_is_written_once_and_with_its_mode(tmp_path: Path) -> None:
    file = WantedFile(tmp_path / "a", "text\n")
    assert file.differs()
    file.write()
    assert not file.differs()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_another_mode_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text\n")
    (tmp_path / "a").chmod(0o644)
    assert WantedFile(tmp_path / "a", "text\n").differs()


def test_a_secret_is_not_in_the_diff(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old-secret")
    shown = str(WantedFile(tmp_path / "a", "new-secret", secret=True).diff())
    assert "old-secret" not in shown
    assert "new-secret" not in shown


def test_only_missing_directories_are_made(tmp_path: Path) -> None:
    wanted = [tmp_path, tmp_path / "x" / "y"]
    assert make_directories(wanted, 0o700, check=True) == [str(tmp_path / "x" / "y")]
    assert not (tmp_path / "x").exists()
    make_directories(wanted, 0o700, check=False)
    assert make_directories(wanted, 0o700, check=False) == []
