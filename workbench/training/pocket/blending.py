"""Blends an image tower with the classifier that it began from; moves both towers on from an earlier edition, or back.

    python -m workbench.training.pocket.blending MODEL --classifier blocks.4=0.2 blocks.6=0.3
        --beyond FOLDER --steps blocks.3=0.4 --out FOLDER

Shares of the classifier give back what training on few photos cost; a step away from an earlier edition is one
farther in the direction of training, and below zero one back to it. Parts are stages of the image tower (`blocks.3`),
`visual_projection`, `text_model` and `text_projection`.

Sources:
    Wortsman et al. 2022, arXiv:2109.01903 (between a tower before and after fine-tuning).
    Ilharco et al. 2023, arXiv:2212.04089 (differences of weights, added and scaled).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import BadInput, WorkbenchError
from workbench.training.pocket import export, folding, opening, settings, towers
from workbench.training.pocket.towers import Towers

State = Mapping[str, Tensor]
Shares = Mapping[str, float]


def blended(state: State, classifier: State, shares: Shares, *, earlier: State, steps: Shares) -> dict[str, Tensor]:
    """Weights, blended; of the names and shapes of `state`.

    Args:
        state: the weights of the model.
        classifier: those that the image tower began from; other parts have none.
        shares: of the classifier, by how weights' names begin; the others have none.
        earlier: those of an earlier edition, all with the same names and shapes.
        steps: how far to go on from there, 1 is the way from `earlier` to `state`, -1 is back; by name likewise.

    Raises:
        BadInput: a share out of 0 to 1, a step out of -1 to 2, or either for no weight.
    """
    for kind, least, most, every in (("share", 0, 1, shares), ("step", -1, 2, steps)):
        for part, value in every.items():
            known = classifier if kind == "share" else state
            if not least <= value <= most or not any(name.startswith(f"{part}.") for name in known):
                parts = "blocks.3 or conv_head" + (", visual_projection, text_model" if kind == "step" else "")
                wanted = f"A part of the towers ({parts}, say) and a {kind} from {least} to {most}"
                raise BadInput(f"{wanted} are wanted; got {part}={value:g}.")
    new = {}
    for name, weight in state.items():
        share, step = (
            next((value for part, value in every.items() if name.startswith(f"{part}.")), 0.0)
            for every in (shares, steps)
        )
        new[name] = weight
        if share or step:
            new[name] = (1 + step - share) * weight - step * earlier[name] + share * classifier.get(name, weight)
    return new


def blend(model: str, shares: Shares, out: Path, *, beyond: str = "", steps: Shares | None = None) -> None:
    """Write the folder of a model that is blended.

    Args:
        model: a key or a folder.
        shares: of the classifier, as `blended` takes them.
        out: the folder.
        beyond: an earlier edition, a folder; "" for none.
        steps: from there, as `blended` takes them.

    Raises:
        BadInput: no checkpoint of the pocket recipe, an earlier edition of another image tower, steps from none, or
            what `blended` refuses.
    """
    if steps and not beyond:
        raise BadInput("Steps go on from an earlier edition: --beyond FOLDER; got none.")
    start, made = _opened(model)
    before, earlier = _opened(beyond or model, option="--beyond")
    name = opening.image_tower(start)
    if (other := opening.image_tower(before)) != name:
        raise BadInput(f"{model} has the image tower {name}, and so must --beyond; got {other} in {beyond}.")
    classifier = folding.folded(towers.locked(name)).state_dict()
    state = _state(made)
    new = blended(state, classifier, shares, earlier=_state(earlier), steps=steps or {})
    image_stays = all(torch.equal(new[key], state[key]) for key in classifier)
    for kind, part in _parts(made).items():
        part.load_state_dict({key: new[kind + key] for key in part.state_dict()})
    facts = {"of": export.hashes(start), "classifier": dict(shares)}
    if beyond:
        facts |= {"beyond": export.hashes(before), "steps": dict(steps or {})}
    same = ("vision_model.",) if image_stays else ()  # folded and unfolded again it would be rounded
    export.write_blend(made, start, out, name=name, blend=facts, same=same)


def _opened(model: str, *, option: str = "MODEL") -> tuple[Path, Towers]:
    """A checkpoint's folder and towers."""
    begun = settings.begun(model, "pocket", option=option)
    start: Path = begun["start"]
    return start, opening.reopened(start, net=towers.locked(begun["image_tower"]), frozen=0)


def _parts(made: Towers) -> dict[str, nn.Module]:
    """What can be blended, by how the names of its weights begin; the image tower's stages have names of their own."""
    image = {"": made.image, "visual_projection.": made.visual_projection}
    return {**image, "text_model.": made.text, "text_projection.": made.text_projection}


def _state(made: Towers) -> dict[str, Tensor]:
    """All weights that can be blended, by name."""
    return {kind + key: value for kind, part in _parts(made).items() for key, value in part.state_dict().items()}


def _shares(given: list[str]) -> dict[str, float]:
    """`PART=NUMBER`, read."""
    try:
        return {part: float(share) for part, _, share in (one.partition("=") for one in given)}
    except ValueError:
        raise BadInput(f"Parts are wanted as blocks.4=0.2 blocks.6=0.3; got {' '.join(given)}.") from None


def main() -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(description="Blend an image tower with the classifier that it began from.")
    many: dict[str, Any] = {"nargs": "*", "default": [], "metavar": "PART=NUMBER"}
    parser.add_argument("model", help="pocket, or a folder that the pocket recipe made")
    parser.add_argument("--classifier", **many, help="shares of the classifier: blocks.4=0.2, say")
    parser.add_argument("--beyond", default="", metavar="FOLDER", help="an earlier edition, to go on from")
    parser.add_argument("--steps", **many, help="how far, in ways from there to the model: blocks.3=0.4; back: -0.2")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="to write")
    options = parser.parse_args()
    try:
        shares, steps = _shares(options.classifier), _shares(options.steps)
        blend(options.model, shares, options.out, beyond=options.beyond, steps=steps)
    except WorkbenchError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
