"""What the documents promise: every model, tab, command and option is named, and every licence has its line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from apps.shell import shell
from apps.tabs import TABS
from workbench import errors
from workbench.checkpoints import checkpoints
from workbench.cli.exit_codes import EXIT_CODES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
SHELL = (ROOT / "docs" / "shell.md").read_text(encoding="utf-8")
MOST_BYTES = 10 * 2**20  # of one file


def test_the_readme_is_short_and_both_commands_stand_in_its_first_twenty_lines() -> None:
    assert len(README.splitlines()) <= 110
    top = "\n".join(README.splitlines()[:20])
    assert "pip install -r requirements.txt && python app.py" in top
    assert "bash scripts/test" in top


@pytest.mark.parametrize("key", [row.key for row in checkpoints()])
def test_the_documents_name_every_model(key: str) -> None:
    assert f"| `{key}` |" in MODELS


def test_the_readme_names_every_view() -> None:
    assert [tab.title for tab in TABS if tab.title not in README] == []


def test_the_documents_name_every_command_and_option() -> None:
    group = typer.main.get_command(shell)
    commands = dict(group.commands)  # type: ignore[attr-defined]
    for outer in [name for name, one in commands.items() if hasattr(one, "commands") and name != "audit"]:
        commands |= {f"{outer} {name}": one for name, one in commands.pop(outer).commands.items()}
    for name, command in commands.items():
        rows = [line for line in SHELL.splitlines() if line.startswith("| `")]
        (line,) = [line for line in rows if f"`{name} " in line.split("|")[1] or f"`{name}`" in line.split("|")[1]]
        for option in command.params:
            for word in option.opts:
                assert not word.startswith("--") or word == "--help" or word in line, f"{name} {word}"


def test_the_documents_tell_every_exit_code() -> None:
    output = {int(code) for code in re.findall(r"^\| (\d+) \|", SHELL, re.MULTILINE)}
    ours = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.WorkbenchError)
    }
    assert output == set(EXIT_CODES)
    assert ours <= output


def test_the_changelog_has_an_entry() -> None:
    assert re.search(r"## \[Unreleased\]\n\n### Added\n\n- ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "part", ["EfficientNet-Lite0", "MiniLM", "WordNet", "OpenMoji", "CC BY-SA 4.0", "scikit-image", "Apache-2.0"]
)
def test_the_notice_names_what_is_shipped(part: str) -> None:
    notices = (ROOT / "NOTICE", ROOT / "workbench" / "weights" / "NOTICE")
    assert part in "".join(file.read_text(encoding="utf-8") for file in notices)


def test_no_tracked_file_is_too_large_for_the_hub() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone")
    large = [
        name
        for name in listed.stdout.split("\0")
        if name and (ROOT / name).is_file() and (ROOT / name).stat().st_size > MOST_BYTES
    ]
    assert large == []


def test_links_between_documents_lead_somewhere() -> None:
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/shell.md",
        "docs/views.md",
        "docs/audits.md",
        "docs/models.md",
    ):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"
