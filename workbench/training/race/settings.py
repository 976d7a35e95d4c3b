"""What a race compares: runners, images, seeds; and the dials of the contrastive runner."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.errors import BadInput, unknown_name

OBJECTIVES: dict[str, str] = {
    "contrast": "Contrast (ConVIRT, CLIP)",
    "sigmoid": "Contrast with a sigmoid (SigLIP)",
    "bag-of-words": "Bag of words",
    "caption": "Caption, word by word (VirTex)",
    "masked-word": "Masked word (ICMLM)",
}
MOST_IMAGES, MOST_SEEDS, MOST_BATCH = 200_000, 20, 512


@dataclass(frozen=True)
class Runner:
    """One way to learn."""

    objective: str = "contrast"  # a key of OBJECTIVES
    batch: int = 64  # images of one step
    scale: float | None = None  # contrast: fixed multiplier of the cosines; None: learned
    cosine_decay: bool = True  # of the learning rate; else constant after the warm-up

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise unknown_name("objective", self.objective, OBJECTIVES)
        if not 2 <= self.batch <= MOST_BATCH:
            raise BadInput(f"A batch has 2 to {MOST_BATCH} images; got {self.batch}.")
        if self.scale is not None and not 0 < self.scale <= 100:
            raise BadInput(f"A fixed scale is more than 0 and at most 100; got {self.scale:g}.")

    @property
    def name(self) -> str:
        """What it is called in a legend."""
        details = [f"batch {self.batch}"] * (self.batch != 64)
        details += [f"scale {self.scale:g}"] if self.scale is not None else []
        details += ["constant rate"] * (not self.cosine_decay)
        return ", ".join([OBJECTIVES[self.objective], *details])


@dataclass(frozen=True)
class RaceSettings:
    """What a race compares, and for how long."""

    runners: tuple[Runner, ...] = tuple(Runner(objective) for objective in OBJECTIVES)
    images: int = 9_600  # that each runner sees, with repetitions
    seeds: int = 3
    seed: int = 0  # the first one
    points: int = 8  # measurements of a run

    def __post_init__(self) -> None:
        if len(set(self.runners)) < len(self.runners) or not self.runners:
            raise BadInput("A race needs at least one runner, and no runner twice.")
        for name, value, low, high in (
            ("The number of images (64 a step)", self.images, 512, MOST_IMAGES),
            ("The number of seeds", self.seeds, 1, MOST_SEEDS),
            ("The random seed", self.seed, 0, 2**31 - 1 - MOST_SEEDS),
            ("The number of measurements", self.points, 2, 50),
        ):
            if not low <= value <= high:
                raise BadInput(f"{name} must lie between {low} and {high}; got {value}.")


def dial(name: str, settings: RaceSettings) -> RaceSettings:
    """Return the race of one contrastive runner against itself with other values of one setting.

    Args:
        name: batch (the number of negatives), temperature (learned and fixed) or decay (cosine and none).
        settings: where images, seeds and points come from.

    Raises:
        UnknownName: no such dial.
    """
    dials: dict[str, tuple[Runner, ...]] = {
        "batch": tuple(Runner(batch=size) for size in (8, 32, 128)),
        "temperature": (Runner(), *(Runner(scale=scale) for scale in (1.0, 10.0, 100.0))),
        "decay": (Runner(), Runner(cosine_decay=False)),
    }
    if name not in dials:
        raise unknown_name("dial", name, dials)
    return replace(settings, runners=dials[name])
