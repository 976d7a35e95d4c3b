"""The private folder of uploads: swept where its server is gone, left alone where one runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from apps.serving import environment
from apps.serving.environment import private_uploads

SERVER = """
from apps.serving.environment import private_uploads
with private_uploads() as folder:
    print(folder, flush=True)
    input()
"""


def test_what_a_killed_server_left_is_swept_and_what_a_running_one_has_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    others = [
        subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    folders = [Path(other.stdout.readline().strip()) for other in others]  # type: ignore[union-attr]
    others[0].kill()
    others[0].communicate()
    assert all(folder.is_dir() for folder in folders)
    foreign = tmp_path / "clip-workbench-notes"  # without a lock: not ours to delete
    foreign.mkdir()
    with private_uploads() as own:
        assert own.parent == tmp_path
        assert [folder.is_dir() for folder in folders] == [False, True]
        assert foreign.is_dir()
    assert not own.exists()
    others[1].communicate("\n")
    assert not folders[1].exists()


def test_a_folder_shows_its_lock_only_once_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a server that starts at the same moment takes the folder for one that was left behind."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    seen = []

    def locked(file: IO[str]) -> bool:
        seen.extend(path for folder in tmp_path.iterdir() for path in folder.glob(environment.LOCK))
        return True

    monkeypatch.setattr(environment, "_locked", locked)
    with private_uploads() as own:
        assert (own / environment.LOCK).is_file()
    assert seen == []
