"""What visitors left is deleted after the time limit, runs and downloads included; what is in use is not."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from apps.limits import LOCAL
from apps.serving import housekeeping
from apps.serving.environment import LOCK
from apps.serving.housekeeping import delete_old, kept_clean


def test_what_has_not_changed_for_long_goes_and_a_folder_in_use_stays(tmp_path: Path) -> None:
    for name in (LOCK, "abc/photo.png", "audits-1/run/metrics.csv", "audits-2/run/metrics.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to(Path(__file__).parent)
    time.sleep(0.3)
    (tmp_path / "audits-2" / "run" / "more.csv").write_text("x")
    delete_old(tmp_path, 0.2)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["audits-2", LOCK]
    assert len(list((tmp_path / "audits-2" / "run").iterdir())) == 2
    assert Path(__file__).exists()


def test_a_running_server_deletes_by_itself(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_text("x")
    with kept_clean(tmp_path, replace(LOCAL, keep_seconds=0.1, sweep_seconds=0.2)):  # type: ignore[arg-type]
        for _ in range(50):
            time.sleep(0.1)
            if not (tmp_path / "photo.png").exists():
                break
    assert not list(tmp_path.iterdir())


def test_memory_of_large_images_comes_back_whatever_thread_decoded_them() -> None:
    work = """
import threading, psutil
from PIL import Image
from apps.serving.housekeeping import one_heap, trimmer
from workbench.loading.device import keep_freed_memory
one_heap()
keep_freed_memory()
trim, here = trimmer(), psutil.Process()
before, gate = here.memory_info().rss, threading.Barrier(6)
def decode():
    image = Image.new("RGB", (4000, 4000), "red")
    small = bytearray(1000)
    gate.wait()
    del image
    gate.wait()
threads = [threading.Thread(target=decode) for _ in range(6)]
[one.start() for one in threads]
[one.join() for one in threads]
trim()
print((here.memory_info().rss - before) / 1e6)
"""
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True, timeout=120)
    assert float(done.stdout) < 30  # six images of 64 MB


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_is_set_deletes_nothing_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    (tmp_path / "before.png").write_text("x")
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + 3600 * hours)
    after = tmp_path / "after.png"
    after.write_text("x")
    written = began + 3600 * hours if hours < 0 else None  # a file takes its time from the clock that was set
    monkeypatch.setattr(
        housekeeping, "_newest", lambda entry: written if entry == after and written else entry.lstat().st_ctime
    )
    delete_old(tmp_path, 3600, clock=began + 1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["after.png", "before.png"]
    if hours > 0:
        delete_old(tmp_path, 3600)
        assert list(tmp_path.iterdir()) == []  # without the second clock all are gone
