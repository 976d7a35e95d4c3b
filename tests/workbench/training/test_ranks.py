"""Two processes with gloo on the CPU against one with the joined batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from workbench.training.ranks import Place, gather, sum_gradients, total
from workbench.training.recipe import Recipe

ROOT = Path(__file__).parents[3]
TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run(*words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_alone_nothing_is_gathered() -> None:
    rows, weight = torch.ones(2, 3, requires_grad=True), torch.nn.Parameter(torch.ones(2))
    assert gather(rows) is rows
    sum_gradients([weight])
    assert weight.grad is None
    assert total(2.5, torch.device("cpu")) == 2.5
    assert (Place(1, 4).part(8), Place().part(8)) == (slice(2, 4), slice(0, 8))


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "chunk"), [("softmax", "0"), ("softmax", "3"), ("sigmoid", "0")])
def test_two_processes_give_the_gradient_of_the_joined_batch(tmp_path: Path, kind: str, chunk: str) -> None:
    script = str(Path(__file__).with_name("rank_script.py"))
    run(script, kind, "0", str(tmp_path))
    run(*TWO, script, kind, chunk, str(tmp_path))
    alone, together = (load_file(tmp_path / f"{n}.safetensors") for n in (1, 2))
    assert alone.keys() == together.keys()
    assert float(alone["read"].abs().max()) > 1e-3
    for name, one in alone.items():
        torch.testing.assert_close(together[name], one, atol=1e-10, rtol=1e-10, msg=name)


@pytest.mark.heavy
def test_torchrun_trains_the_same_model_as_one_process(tmp_path: Path, recipe: Recipe) -> None:
    output = recipe.model_dump(mode="json", by_alias=True)
    output["data"] = {**output["data"], "templates": list(output["data"]["templates"])}
    model = Path(output["from"])
    settings = yaml.safe_dump({**output, "from": str(_without_dropout(model, tmp_path / "tiny")), "steps": 3})
    (tmp_path / "r.yaml").write_text(settings)
    words = ("app.py", "train", "--recipe", str(tmp_path / "r.yaml"), "--device", "cpu", "--json", "--out")
    assert run(*words, str(tmp_path / "one")).count("steps_done") == 1
    assert run(*TWO, *words, str(tmp_path / "two")).count("steps_done") == 1
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    begun = load_file(model / "model.safetensors")
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, atol=2e-5, rtol=1e-4, msg=name)
    assert any(not torch.equal(begun[name], weight) for name, weight in one.items())


def _without_dropout(model: Path, copy: Path) -> Path:
    """Two processes draw their own dropout; without it they are one."""
    import json
    import shutil

    shutil.copytree(model, copy)
    config = json.loads((copy / "config.json").read_text())
    config["text_config"] |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (copy / "config.json").write_text(json.dumps(config))
    return copy
