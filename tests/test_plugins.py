"""What installed packages add appears everywhere: that of examples/plugin, that of docs/plugins, and broken ones."""

from __future__ import annotations

import gc
import json
import logging
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
import torch
from PIL import Image

import apps
import audits
import workbench
from apps.shared import navigation
from apps.shell import run
from apps.tabs import VIEWS
from audits.catalogue import AUDITS, find
from audits.run_directory.reader import open_run
from audits.running.suites import read as read_suite
from tests.installed import importable, install
from workbench.attacks import ATTACKS, Ball, Goal
from workbench.engine import Engine
from workbench.errors import BadInput, UnknownName, Unsupported
from workbench.fake import FakeBackend
from workbench.generation.settings import methods
from workbench.plugins import resolve

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "plugins").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let pages and models end with their test: a finalizer in the middle of `ast.parse` fails in Python 3.11.7."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def example_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package, installed by pip into a folder of its own."""
    place = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "examples" / "plugin", place / "source")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(place / "site"), str(place / "source")], check=True)
    return place / "site"


@pytest.fixture
def example(example_site: Path) -> Iterator[None]:
    """The example package on the import path."""
    with importable(example_site):
        yield


@pytest.fixture(scope="module")
def documented_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that the pages of docs/plugins write, with the entry points that they name."""
    site = tmp_path_factory.mktemp("documented")
    groups: dict[str, dict[str, str]] = {}
    for page in PAGES:
        for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind == "toml":
                for group, points in tomllib.loads(text)["project"]["entry-points"].items():
                    groups[group.removeprefix("clip_workbench.")] = points
                continue
            first, _, rest = text.partition("\n")
            file = site / first.removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rest, encoding="utf-8")
    (site / "my_package" / "__init__.py").touch()
    weights = site / "my_package" / "colours" / "weights"
    subprocess.run([sys.executable, str(site / "make_weights.py"), str(weights)], check=True)
    return install(site, "my-package", groups)


@pytest.fixture
def documented(documented_site: Path) -> Iterator[Path]:
    """That package on the import path."""
    with importable(documented_site):
        yield documented_site


def broken(site: Path, **modules: str) -> Path:
    """Write modules, each the only entry point `ROW` of the table that its name begins with."""
    groups: dict[str, dict[str, str]] = {}
    site.mkdir()
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text, encoding="utf-8")
        groups.setdefault(name.split("_")[0], {})[name] = f"{name}:ROW"
    return install(site, "broken", groups)


def test_the_example_adds_an_audit_that_runs_and_is_resumed(
    example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find("mirror/answers").title == "Mirror images"
    assert audits.check("mirror/answers")["measures"] == 1
    assert run(["audit", "list", "--tag", "mirror", "--json"]) == 0
    assert [row["key"] for row in json.loads(capsys.readouterr().out)] == ["mirror/answers"]
    words = ["--model", "fake", "--limit", "8", "--out", str(tmp_path), "--html"]
    assert run(["audit", "run", "mirror/answers", *words]) == 0
    (head,) = tmp_path.glob("*/run.json")
    content = json.loads(head.read_text())
    head.write_text(json.dumps(content | {"status": "cancelled"}))
    assert run(["audit", "resume", str(head.parent)]) == 0
    done = open_run(head.parent)
    assert done.status == "success"
    (row,) = done.metrics.to_dict("records")
    assert (row["metric"], row["n"]) == ("same", 8)
    assert "Mirror images" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_example_is_in_the_page_and_in_doctor(example: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Engine() as engine:
        page = apps.assemble(engine)
    blocks = list(page.blocks.values())
    assert "mirror" in [block.id for block in blocks if isinstance(block, gr.Tab)]
    audits = [choice for block in blocks if isinstance(block, gr.CheckboxGroup) for choice in block.choices]
    assert [title.split(":")[0] for title, key in audits if key == "mirror/answers"] == ["Mirror images"]
    assert any(getattr(block, "value", None) == "Mirror it" for block in blocks)
    assert '{"key": "mirror", "title": "Mirror"}' in navigation.script()
    texts = [str(block.value) for block in blocks if isinstance(block, gr.Markdown)]
    assert any("mirror/answers" in text.replace("\\", "") and "1.0" in text.replace("\\", "") for text in texts)
    assert run(["doctor", "--quick", "--json"]) == 0
    plugins = json.loads(capsys.readouterr().out)["plugins"]
    assert plugins == ["clip-workbench-mirror 1.0, audits: mirror/answers", "clip-workbench-mirror 1.0, views: mirror"]


def test_the_examples_view_compares_an_image_and_its_mirror_image(example: None) -> None:
    compare = resolve("clip_workbench_mirror.view:compare")
    text, rows = compare(workbench.load("fake"), Image.new("RGB", (80, 80), (250, 0, 0)), ["red", "blue"])
    assert text == "Both are named **red**."
    assert [row[0] for row in rows] == ["red", "blue"]
    assert all(row[1] == row[2] for row in rows)


def test_each_table_has_a_page(documented: Path) -> None:
    assert [page.stem for page in PAGES] == ["attacks", "audits", "canvases", "models", "views"]
    every = apps.installed()
    assert [plugin.error for plugin in every] == [""] * 5
    assert {plugin.table for plugin in every} == {page.stem for page in PAGES}


def test_the_documented_audit_finds_that_colour_is_all_the_fake_model_sees(documented: Path, tmp_path: Path) -> None:
    assert audits.check("my/grey")["measures"] == 1
    for name, colour in (("red", (220, 20, 20)), ("blue", (20, 20, 220)), ("grey", (120, 120, 120))):
        for at in range(3):
            (tmp_path / "set" / name).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (80 + at, 80), colour).save(tmp_path / "set" / name / f"{at}.png")
    done = audits.run("my/grey", "fake", f"folder:{tmp_path / 'set'}", out=tmp_path / "runs")
    assert (done.metrics["k_pos"].item(), done.metrics["n"].item()) == (3, 9)  # only what was grey before


def test_the_documented_model_is_listed_checked_and_classifies(
    documented: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workbench.check_model("my/colours") == {
        "model": "my/colours", "dim": 3, "image_size": 32, "context_length": 8,
    }  # fmt: skip
    Image.new("RGB", (50, 40), (255, 255, 0)).save(tmp_path / "x.png")
    words = ["--labels", "red,yellow,blue", "--templates", "none", "--model", "my/colours", "--json"]
    assert run(["classify", str(tmp_path / "x.png"), *words]) == 0
    answer = json.loads(capsys.readouterr().out)[0]["labels"]
    # (1, 1, -1) and yellow: cosine 1; red (1, -1, -1): 1/3
    assert [(row["label"], round(row["cosine"], 3)) for row in answer[:2]] == [("yellow", 1.0), ("red", 0.333)]
    from apps.shared.model_menu import choices

    assert "my/colours" in [key for _, key in choices()]
    assert run(["models", "--json"]) == 0
    assert "my/colours" in [row["key"] for row in json.loads(capsys.readouterr().out)]
    folder = documented / "my_package" / "colours" / "weights"
    assert workbench.load(folder).dim == 3  # a folder of the family, without a row


def test_the_documented_attack_stays_in_its_ball_and_is_named_in_a_protocol(
    documented: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = FakeBackend()
    pixels = torch.rand(2, 3, 80, 80, generator=torch.Generator().manual_seed(1))
    weights = torch.nn.functional.normalize(torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(2)), dim=2)
    truth = torch.einsum("nd,nkd->nk", box.embed_pixels(pixels).detach(), weights).argmax(dim=1)
    goal = Goal(weights, truth, "ce", 30.0)
    moved = resolve(ATTACKS["fgsm"].run)(
        box, pixels, goal, ball=Ball("linf", 0.01), steps=1, noise=torch.zeros_like(pixels)
    )
    change = (moved - pixels).abs()
    assert change.amax() == pytest.approx(0.01, abs=1e-6)
    every = torch.arange(2)
    assert (goal.look(box, moved, every)[0] > goal.look(box, pixels, every)[0]).all()
    from audits.running import validating

    assert validating.rules(str(documented / "fgsm.yaml"))["audit"] == "adversarial/lp"
    text = (documented / "fgsm.yaml").read_text().replace("method: fgsm", "method: fgms")
    (tmp_path / "typo.yaml").write_text(text)
    with pytest.raises(BadInput, match=r"fgms.*known: pgd, apgd, fgsm"):
        validating.rules(str(tmp_path / "typo.yaml"))


def test_the_documented_canvas_makes_images_and_paints_for_units(documented: Path, tmp_path: Path) -> None:
    from apps.generation.words import styles
    from workbench.neurons.visualisation import UnitImageSettings

    title = "Corners: four colours, blended"
    assert methods()["corners"] == title
    assert (title, "corners") in styles()
    assert UnitImageSettings("last", 1, "corners").canvas == "corners"
    words = ["--method", "corners", "--steps", "2", "--set", "side=64", "--out", str(tmp_path)]
    assert run(["generate", "a red apple", *words]) == 0
    (made,) = tmp_path.glob("*.png")
    corners = Image.open(made).convert("RGB")
    assert corners.size == (64, 64)
    middle = [sum(corners.getpixel((x, y))[0] for x in (0, 63) for y in (0, 63)) / 4, corners.getpixel((32, 32))[0]]  # type: ignore[index]
    assert middle[0] == pytest.approx(middle[1], abs=25)  # blended: the middle lies between the corners


def test_the_documented_view_answers(documented: Path) -> None:
    describe = resolve("my_package.sizes.view:describe")
    assert describe(workbench.load("fake"), "a <b> cat") == r"a \<b\> cat: 32 numbers."
    with pytest.raises(BadInput):
        describe(workbench.load("fake"), " ")
    with Engine() as engine:
        apps.check(VIEWS["sizes"], engine)


def test_broken_plugins_are_named_and_left_out_and_the_page_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    canvas = "from workbench.generation.canvases.kinds import CanvasKind\nROW = CanvasKind('prior', '', '')\n"
    view = 'from apps.tabs import Tab\nROW = Tab("{key}", "{key}", "{group}", "{module}")\n'
    site = broken(
        tmp_path / "site",
        audits_syntax="def:\n",
        audits_exit="raise SystemExit(3)\n",
        models_text="ROW = 'a model'\n",
        models_twice="from workbench.checkpoints.shipped import POCKET as ROW\n",
        attacks_missing="",
        canvases_prior=canvas,
        views_group=view.format(key="a", group="Nowhere", module="x"),
        views_build=view.format(key="crash", group="Measure", module="crashing_view"),
        views_address=view.format(key="a b", group="Measure", module="x"),
        views_deaf=view.format(key="deaf", group="Measure", module="empty_view").replace(")\n", ", receives=True)\n"),
        audit_typo="",
    )
    code = "import gradio as gr\ndef build(page):\n    gr.Textbox(label='half')\n    raise ArithmeticError('planted')\n"
    (site / "crashing_view.py").write_text(code, encoding="utf-8")
    (site / "empty_view.py").write_text("def build(page): ...\n", encoding="utf-8")
    with importable(site), caplog.at_level(logging.WARNING):
        with Engine() as engine:
            page = apps.assemble(engine)
        errors = {plugin.name: plugin.error for plugin in apps.installed()}
        assert "crash" not in VIEWS
        with pytest.raises(UnknownName, match=r"audits_syntax is left out\. SyntaxError"):
            find("my/syntax")
        with pytest.raises(UnknownName, match=r"models_text is left out\. BadInput"):
            workbench.load("my/model")
        assert '"crash"' not in navigation.script()
    assert {name: error.split(":")[0] for name, error in errors.items()} == {
        "audits_syntax": "SyntaxError",
        "audits_exit": "SystemExit",
        "models_text": "BadInput",
        "models_twice": "BadInput",
        "attacks_missing": "AttributeError",
        "canvases_prior": "BadInput",
        "views_group": "BadInput",
        "views_build": "ArithmeticError",
        "views_address": "BadInput",
        "views_deaf": "BadInput",
        "audit_typo": "No such table; the tables are audits, models, attacks, canvases, views.",
    }
    labels = [getattr(block, "label", None) for block in page.blocks.values()]
    assert "half" not in labels
    texts = " ".join(str(block.value) for block in page.blocks.values() if isinstance(block, gr.Markdown))
    assert "planted" in caplog.text
    assert "planted" not in texts  # an error may hold paths of this machine
    assert r"views\_build is left out" in texts


def test_what_a_row_names_is_imported_when_it_is_used(tmp_path: Path) -> None:
    row = "from workbench.attacks import PixelAttack\nROW = PixelAttack('late', 'Late', 'not_yet:attack')\n"
    with importable(broken(tmp_path / "site", attacks_row=row)):
        assert ATTACKS["pgd"].run.endswith(":pgd")
        assert "attacks_row" not in sys.modules  # a built-in row needs no package
        assert ATTACKS["late"].title == "Late"
        with pytest.raises(Unsupported, match="not_yet"):
            resolve(ATTACKS["late"].run)
    with pytest.raises(UnknownName):
        ATTACKS.find("late", "pixel attack")


def test_an_audit_joins_the_suites_that_its_row_names(tmp_path: Path) -> None:
    row = (
        "from audits.contracts import Audit\n"
        "ROW = Audit('a/b', 'A', 'Is it?', ('plain',), 'things', 'a_b', suites=('release',))\n"
    )
    before = [entry.audit for entry in read_suite("release").jobs]
    with importable(broken(tmp_path / "site", audits_row=row)):
        assert [entry.audit for entry in read_suite("release").jobs] == [*before, "a/b"]
        assert "a/b" not in [entry.audit for entry in read_suite("quick").jobs]
    assert list(AUDITS) == before


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"embed_images": lambda rows: 2 * rows}, "rows of images are not of length 1"),
        ({"embed_texts": lambda rows: rows + torch.rand(())}, "equal texts give different rows"),
        ({"embed_images": lambda rows: rows.roll(1, 0)}, "images give different rows alone and in a batch"),
        ({"embed_texts": lambda rows: rows.double()}, "texts give .* torch.float64"),
        ({"embed_pixels": lambda rows: rows.detach()}, "no gradient reaches the pixels"),
    ],
)
def test_a_broken_promise_of_a_model_is_found(fault: dict[str, object], sentence: str) -> None:
    class Faulty(FakeBackend):
        pass

    for name, change in fault.items():
        whole = getattr(FakeBackend, name)
        setattr(Faulty, name, lambda self, given, whole=whole, change=change: change(whole(self, given)))
    with pytest.raises(BadInput, match=sentence):
        workbench.check_model(Faulty())
    assert workbench.check_model("fake")["dim"] == 32


def test_a_newer_attack_makes_new_images(tmp_path: Path) -> None:
    from audits.adversarial.lp.score import Attack, _item

    row = "from workbench.attacks import PixelAttack\nROW = PixelAttack('new', 'New', 'x:y', version={})\n"
    recipes = []
    for version in (1, 2):
        site = broken(tmp_path / f"v{version}", **{f"attacks_v{version}": row.format(version)})
        with importable(site):
            item = _item("a", {}, Attack(method="new", norm="linf", epsilons=(1,)), epsilon=1)
        recipes.append(json.loads(item.recipe))
    assert recipes[0] == {key: value for key, value in recipes[1].items() if key != "version"}
    assert recipes[1]["version"] == 2
