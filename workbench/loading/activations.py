"""Whether a checkpoint's configuration names the activation that its weights were trained with.

OpenAI's weights, and those of MetaCLIP and DFN, were trained with QuickGELU. open_clip has two names for each such
architecture, one with -quickgelu; with the wrong one a model answers, and is several points worse.
"""

from __future__ import annotations

from pathlib import Path

from workbench.checkpoints.spec import ModelSpec
from workbench.errors import WorkbenchError
from workbench.loading import hub
from workbench.loading.hashes import main_config
from workbench.loading.tokenizers import read_json


def mismatch(spec: ModelSpec) -> str:
    """Say in a sentence that a checkpoint on this machine is read with the wrong activation; "" where it is not.

    What weights were trained with is known from a row of the catalogue, or from a folder that has the name of one of
    open_clip's repositories; of other folders nothing is said.
    """
    try:
        folder = hub.locate(spec)
        trained, configured = _trained(spec, folder), _configured(spec, folder)
    except WorkbenchError:  # not here, or not readable: whoever loads it is told
        return ""
    if trained is None or configured is None or trained == configured:
        return ""
    names = {True: "QuickGELU", False: "plain GELU"}
    mend = (
        f'set "quick_gelu" to {str(trained).lower()} in its "model_cfg"'
        if spec.loader == "open_clip"
        else f'set "hidden_act" to "{"quick_gelu" if trained else "gelu"}" in its text_config and vision_config'
    )
    return (
        f"{spec.title} was trained with {names[trained]}, but {main_config(spec)} says {names[configured]}: "
        f"its answers are wrong; {mend}."
    )


def _trained(spec: ModelSpec, folder: Path) -> bool | None:
    """Whether weights were trained with QuickGELU; None where that is not known."""
    if spec.architecture is not None:
        return spec.architecture.endswith("-quickgelu")
    from open_clip.pretrained import _PRETRAINED

    names = {folder.name, folder.name.rpartition("--")[2].partition("@")[0], (spec.repo or "").rpartition("/")[2]}
    if any(name.startswith("clip-vit-") for name in names):  # OpenAI's own repositories
        return True
    for tags in _PRETRAINED.values():
        for tag in tags.values():
            if tag.get("hf_hub", "").strip("/").rpartition("/")[2] in names - {""}:
                return bool(tag.get("quick_gelu", False))
    return None


def _configured(spec: ModelSpec, folder: Path) -> bool | None:
    config = read_json(folder, main_config(spec))
    if spec.loader == "open_clip":
        return bool((config.get("model_cfg") or {}).get("quick_gelu", False))
    if config.get("model_type") != "clip":
        return None
    towers = [config.get(name) or {} for name in ("text_config", "vision_config")]
    return all(tower.get("hidden_act", "quick_gelu") == "quick_gelu" for tower in towers)
