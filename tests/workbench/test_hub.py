"""Downloads against a hub on this machine: whole, broken and continued, stopped, refused; and nothing unasked."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_hub import COMMIT, REPO, Hub, serving
from safetensors.numpy import save

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import (
    Busy,
    Cancelled,
    OutOfResources,
    Unsupported,
    WeightsMissing,
    WeightsRefused,
)
from workbench.loading import hashes, hub, listing
from workbench.models import find

SPEC = ModelSpec(key="tiny", title="Tiny", loader="transformers", repo=REPO, revision=COMMIT)
WEIGHTS = save({"a": np.arange(1_000_000, dtype=np.float32)})  # 4 MB: four chunks
CONFIG = json.dumps({"model_type": "clip"}).encode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place of ours, and an empty Hugging Face cache."""
    from huggingface_hub import constants

    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path / "home"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one tiny repository, reached as the real one is."""
    from huggingface_hub import constants

    from workbench.loading import transfer

    files = {
        "config.json": CONFIG,
        "preprocessor_config.json": b"{}",
        "tokenizer.json": b"{}",
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": b"pickled",
        "README.md": b"not needed",
    }
    with serving(Hub(files)) as running:
        _point_at(running.url, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(transfer, "PAUSE", 0)
        yield running


def _point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what HF_ENDPOINT does before the first import."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def _nothing_poses_as_complete(home: Path) -> bool:
    return not hub.presence(SPEC).here and not list((home / "models").glob("*.lock"))


def test_a_download_brings_what_is_needed_and_no_more(server: Hub, home: Path) -> None:
    output: list[tuple[int, int]] = []
    assert not hub.presence(SPEC).here
    folder = hub.download(SPEC, progress=lambda done, total: output.append((done, total)))
    assert {file.name for file in folder.iterdir()} == set(server.files) - {"pytorch_model.bin", "README.md"}
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.locate(SPEC) == folder
    there = hub.presence(SPEC)
    assert (there.here, there.where) == (True, "downloaded")
    assert there.bytes == output[-1][0] == output[-1][1] == len(WEIGHTS) + len(CONFIG) + 4
    assert output == sorted(output)
    assert len(output) >= 4
    assert hashes.recorded(SPEC).keys() == {"model.safetensors"}
    assert sorted(entry.name for entry in (home / "models").iterdir()) == [folder.name]


def test_what_is_here_is_not_fetched_again(server: Hub) -> None:
    hub.download(SPEC)
    server.requests.clear()
    hub.download(SPEC)
    assert server.requests == []


def test_a_broken_line_is_taken_up_where_it_broke(server: Hub) -> None:
    server.cut_after["model.safetensors"] = [1_500_000, 1_000_000]
    folder = hub.download(SPEC)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    ranges = [wanted for path, wanted in server.requests if path.endswith("model.safetensors")]
    assert ranges[0] is None
    starts = [int(wanted.removeprefix("bytes=").rstrip("-")) for wanted in ranges[1:] if wanted]
    assert len(starts) == 2
    assert 1_000_000 <= starts[0] < starts[1] < len(WEIGHTS)  # never from the beginning again


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server: Hub, home: Path) -> None:
    server.cut_after["model.safetensors"] = [2_000_000, *[0] * 10]
    with pytest.raises(WeightsMissing, match="clip-workbench models --download tiny"):
        hub.download(SPEC)
    assert _nothing_poses_as_complete(home)
    partly = hub.presence(SPEC)
    assert partly.where == "partly downloaded"
    assert 1_000_000 <= partly.bytes < len(WEIGHTS)
    server.cut_after.clear()
    server.requests.clear()
    folder = hub.download(SPEC)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert next(wanted for path, wanted in server.requests if path.endswith("model.safetensors")) is not None
    assert not list((home / "models").glob("*.part"))


def test_a_server_that_knows_no_ranges_sends_it_all_again(server: Hub) -> None:
    server.ignore_range = True
    server.cut_after["model.safetensors"] = [2_000_000]
    assert (hub.download(SPEC) / "model.safetensors").read_bytes() == WEIGHTS


def test_cancelling_midway_leaves_no_lock_and_goes_on_later(server: Hub, home: Path) -> None:
    request = iter(range(100))
    with pytest.raises(Cancelled):
        hub.download(SPEC, cancelled=lambda: next(request) > 5)
    assert _nothing_poses_as_complete(home)
    assert hub.presence(SPEC).bytes > 0
    with pytest.raises(WeightsMissing):
        hub.locate(SPEC)
    assert (hub.download(SPEC) / "model.safetensors").read_bytes() == WEIGHTS


def test_cancelling_before_the_first_byte_leaves_nothing(server: Hub, home: Path) -> None:
    with pytest.raises(Cancelled):
        hub.download(SPEC, cancelled=lambda: True)
    assert list((home / "models").iterdir()) == []


def test_too_little_disk_is_said_before_anything_comes(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(OutOfResources, match=r"needs 4 MB.*1 MB are free"):
        hub.download(SPEC)
    assert not any("/resolve/" in path for path, _ in server.requests)


def test_a_disk_that_fills_up_meanwhile_is_said(server: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.loading.transfer._go_on", full)
    with pytest.raises(OutOfResources, match="No space left on device"):
        hub.download(SPEC)
    assert _nothing_poses_as_complete(home)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_is_not_what_was_announced_is_thrown_away(server: Hub, home: Path, name: str) -> None:
    content = bytearray(server.files[name])
    content[-3] ^= 1
    server.lie[name] = bytes(content)
    with pytest.raises(WeightsRefused, match="did not arrive as the hub announced"):
        hub.download(SPEC)
    assert _nothing_poses_as_complete(home)
    server.lie.clear()
    assert (hub.download(SPEC) / name).read_bytes() == server.files[name]


def test_pickled_weights_are_not_even_fetched(server: Hub) -> None:
    del server.files["model.safetensors"]
    with pytest.raises(WeightsRefused, match="holds no safetensors"):
        hub.download(SPEC)
    assert not any("/resolve/" in path for path, _ in server.requests)


def test_a_model_with_code_of_its_own_never_gets_its_name(server: Hub, home: Path) -> None:
    server.files["config.json"] = json.dumps({"auto_map": {"AutoModel": "m.M"}}).encode()
    with pytest.raises(WeightsRefused, match="code of its own"):
        hub.download(SPEC)
    assert _nothing_poses_as_complete(home)


def test_other_weights_than_at_the_first_download_are_refused(server: Hub, home: Path) -> None:

    shutil.rmtree(hub.download(SPEC))
    server.files["model.safetensors"] = save({"a": np.ones(5, dtype=np.float32)})
    with pytest.raises(WeightsRefused, match="not the one that was recorded"):
        hub.download(SPEC)
    assert _nothing_poses_as_complete(home)


def test_the_first_digits_of_a_commit_are_enough(server: Hub) -> None:
    from dataclasses import replace

    short = replace(SPEC, revision=COMMIT[:7])
    folder = hub.download(short)
    assert folder.name.endswith(COMMIT)
    assert hub.locate(short) == folder


def test_a_commit_that_is_gone_is_named(server: Hub) -> None:
    from dataclasses import replace

    with pytest.raises(WeightsMissing, match="no commit fffffff"):
        hub.download(replace(SPEC, revision="fffffff"))
    with pytest.raises(WeightsMissing, match=r"someone/tiny_clip.model at commit fffffff \(HTTP 404\)"):
        hub.download(replace(SPEC, revision="f" * 40))


def test_offline_says_what_to_do(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsMissing, match="HF_HUB_OFFLINE"):
        hub.download(SPEC)
    assert server.requests == []


def test_no_connection_says_what_to_do(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _point_at("http://127.0.0.1:9", monkeypatch)  # nobody listens there
    with pytest.raises(WeightsMissing, match="clip-workbench models --download tiny"):
        hub.download(SPEC)


def test_two_downloads_of_one_model_do_not_mix(server: Hub) -> None:
    met: list[int] = []

    def progress(done: int, total: int) -> None:
        assert not hub.presence(SPEC).here
        if not met:
            with pytest.raises(Busy, match="being downloaded already"):
                hub.download(SPEC)
            met.append(done)

    hub.download(SPEC, progress=progress)
    assert met


def test_looking_and_loading_ask_no_server(server: Hub) -> None:
    listing.rows()
    with pytest.raises(WeightsMissing):
        hub.locate(SPEC)
    assert server.requests == []


def test_missing_weights_name_the_command(home: Path) -> None:
    spec = find("openai/clip-vit-base-patch32")
    with pytest.raises(WeightsMissing, match=r"605 MB.*clip-workbench models --download openai/clip-vit-base-patch32"):
        hub.locate(spec)


def test_nothing_to_download_for_what_is_shipped(home: Path) -> None:
    for spec in (find("pocket"), find("pocket-lite2")):
        assert hub.download(spec) == spec.folder
        assert hub.presence(spec).where == "shipped"
    assert hub.presence(find("fake")).here
    with pytest.raises(Unsupported, match="nothing to download"):
        hub.download(find("fake"))


def test_a_complete_snapshot_in_the_shared_cache_is_used_where_it_is(home: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hf" / "models--someone--tiny_clip.model" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_bytes(CONFIG)
    (snapshot / "model.safetensors").write_bytes(WEIGHTS)
    assert not hub.presence(SPEC).here  # not all of it
    (snapshot / "preprocessor_config.json").write_text("{}")
    assert hub.locate(SPEC) == snapshot
    assert hub.presence(SPEC).where == "Hugging Face cache"
