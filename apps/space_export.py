"""Write a folder that is a ready Hugging Face Space: the program, the shipped model, a card and its requirements.

Does not know about networks and accounts: whoever wants the Space pushes the folder.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import BadInput
from workbench.models import find
from workbench.places import shipped

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("app.py", "apps", "audits", "workbench")
WEIGHTS = Path("workbench", "weights")  # where a Space has them
SINGLE = ("LICENSE", "NOTICE")  # taken where they are
KINDS = {
    *(".py", ".css", ".js", ".j2", ".json", ".txt", ".csv", ".md", ".yaml", ".yml"),
    *(".safetensors", ".png", ".svg", ".webp", ".typed"),
}
MOST_BYTES = 10 * 2**20  # of one file: the hub takes larger ones through its large-file storage only
OFFERED = "openai/clip-vit-base-patch32"  # beside `pocket`; lies on the Space's disk before it starts
OFFERED_FILES = (
    "config.json",
    "merges.txt",
    "model.safetensors",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
)
STATIC = {  # what the hub reads of a Space that shows reports alone
    **{"title": "Audit report", "emoji": "📋", "colorFrom": "blue", "colorTo": "indigo", "sdk": "static"},
    **{"app_file": "index.html", "short_description": "What an audit measured, with intervals", "pinned": False},
}
STATIC_CARD = (
    "# Audit report\n\nOne page, `index.html`: what was measured, on which images, with which model, with intervals.\n"
)
BROUGHT = ("gradio", "spaces", "huggingface-hub")  # a ZeroGPU Space has its own of these
UNPINNED = ("torch", "torchvision")  # ... and picks these to fit each other


def export(directory: Path, *, reports: Path | None = None) -> Path:
    """Write the Space into a new or empty folder; nothing half-written stays behind.

    Args:
        directory: the folder.
        reports: run directories, or a folder of some: the Space shows their report and holds no program.

    Returns:
        The folder.

    Raises:
        BadInput: the folder holds something, or a file is too large for the hub.
        UnknownName: no run there.
    """
    directory = directory.expanduser().absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadInput(f"The Space is written into a new or empty folder; {directory.name!r} holds something.")
    directory.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        if reports is None:
            for source, name in program():
                target = made / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            (made / "README.md").write_text(_with_head(front_matter(), card()), encoding="utf-8")
            (made / "requirements.txt").write_text(requirements(), encoding="utf-8")
        else:
            from audits import report

            report(reports, made / "index.html")
            (made / "README.md").write_text(_with_head(STATIC, STATIC_CARD), encoding="utf-8")
        made.chmod(0o755)
        os.replace(made, directory)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return directory


def program() -> Iterator[tuple[Path, Path]]:
    """Yield the files of the program and its weights, without tests and leftovers, each with its path in the Space.

    Raises:
        BadInput: one is larger than the hub takes.
    """
    for place, target in ((ROOT / part, Path(part)) for part in PARTS):
        for file in [place] if place.is_file() else sorted(place.rglob("*")):
            inside = file.relative_to(place)
            hidden = any(name.startswith((".", "__pycache__")) for name in inside.parts)
            if not file.is_file() or hidden or (file.suffix not in KINDS and file.name not in SINGLE):
                continue
            if file.stat().st_size > MOST_BYTES:
                raise BadInput(f"The hub takes files up to {MOST_BYTES // 2**20} MiB; {file.name!r} is larger.")
            yield file, target / inside
    if not shipped().is_relative_to(ROOT / "workbench"):  # installed as a package of their own
        yield from ((file, WEIGHTS / file.relative_to(shipped())) for file in sorted(shipped().rglob("*.*")))
    yield from ((ROOT / name, Path(name)) for name in SINGLE if (ROOT / name).is_file())


def front_matter() -> dict[str, Any]:
    """Return what the hub reads at the head of the card."""
    offered = find(OFFERED)
    return {
        "title": "CLIP Workbench",
        "emoji": "🔎",
        "colorFrom": "blue",
        "colorTo": "indigo",
        "sdk": "gradio",
        "sdk_version": importlib.metadata.version("gradio"),
        "app_file": "app.py",
        "python_version": "3.12",
        "short_description": "Look inside image-text models and audit them",
        "license": "mit",
        "pinned": False,
        "fullWidth": True,
        "models": [offered.repo],
        "tags": ["clip", "zero-shot-image-classification", "interpretability", "audit"],
        "preload_from_hub": [preload(offered)],
    }


def preload(spec: ModelSpec) -> str:
    """Return the line with which a Space fetches a checkpoint before it starts: repository, files, commit."""
    return " ".join(filter(None, (spec.repo, ",".join(OFFERED_FILES), spec.revision)))


def _with_head(facts: dict[str, Any], text: str) -> str:
    """Return a README with what the hub reads at its head."""
    import yaml

    head = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{head}---\n\n{text}"


def card() -> str:
    """Return the text of the Space's README."""
    offered = find(OFFERED)
    return (
        "# CLIP Workbench\n\n"
        "Name a photo with any words and see where the model looked: image-text models of the CLIP family, "
        "from the inside.\n\n"
        f"Models here: `pocket` and `pocket-lite2`, two small CLIPs that come with the program, and {offered.title} "
        f"(`{OFFERED}`). Every screen says which of them answered and what it was trained on.\n\n"
        "Pictures that you upload stay in this Space's memory and temporary folder, are seen by no other visitor, and "
        "are deleted within about an hour. Nothing is sent elsewhere.\n\n"
        "The model cards of CLIP put surveillance and face recognition out of scope, whatever the performance. "
        "So does this Space.\n"
    )


def requirements() -> str:
    """Return what a ZeroGPU Space installs: without what it brings, torch unpinned."""
    lines = []
    for line in _ranges():
        start = re.match(r"[A-Za-z0-9._-]+", line)
        if start is None:
            continue
        name = re.sub(r"[._-]+", "-", start.group()).lower()
        if name not in BROUGHT:
            lines.append(name if name in UNPINNED else line)
    return "\n".join(lines) + "\n"


def _ranges() -> list[str]:
    file = ROOT / "requirements.txt"
    if file.is_file():
        return [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    lines = importlib.metadata.requires("clip-workbench") or []
    return [line for line in lines if "extra ==" not in line]
