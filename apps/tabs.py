"""The table of views. Other packages add rows: see `workbench.plugins`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.errors import BadInput
from workbench.plugins import Table


@dataclass(frozen=True)
class Tab:
    """One view of the page.

    Raises:
        BadInput: a key that cannot be an address, or a group that the navigation does not have.
    """

    key: str  # its address is /#key
    title: str
    group: str  # heading in the navigation, one of GROUPS
    module: str  # has `build(page: Page) -> None`, which lays the view out inside an open `gr.Tab`; imported then
    invites: str = ""  # what a visitor does there with an image, as a button of other views says it
    receives: bool = False  # other views can send images and labels here; `build` calls `page.exchange.accept`
    takes_many: bool = False  # ... and many labelled images at once; `build` calls `page.exchange.accept_many`
    needs: tuple[str, ...] = ()  # keys of `requirements.REQUIREMENTS`; the entry is greyed where the model lacks one

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.key):
            raise BadInput(f"The key of a view has lower-case letters, digits and dashes; got {self.key[:80]!r}.")
        if self.group not in GROUPS:
            raise BadInput(f"The group of a view is one of {', '.join(GROUPS)}; got {self.group[:80]!r}.")


GROUPS = ("Classify", "Find", "Look inside", "Attack and defend", "Make", "Measure", "Learn")
TABS: tuple[Tab, ...] = (
    Tab("classify", "One image", "Classify", "apps.classify.one_image", "Name it with any words", receives=True),
    Tab("many", "Many images", "Classify", "apps.classify.many_images", receives=True),
    Tab("matrix", "Images × texts", "Classify", "apps.classify.matrix", receives=True),
    Tab("compare", "Compare", "Classify", "apps.classify.compare", "Ask another model", receives=True),
    Tab("search", "Search images", "Find", "apps.search", "Find images like it", receives=True),
    Tab("video", "Find moments", "Find", "apps.video"),
    Tab("map", "Map", "Find", "apps.map"),
    Tab("attribution", "Where it looks", "Look inside", "apps.attribution", "See where it looks", receives=True),
    Tab("typographic", "Write on it", "Attack and defend", "apps.typographic", "Write a word on it", receives=True),
    Tab(
        "neurons",
        "Neurons",
        "Look inside",
        "apps.neurons",
        "Ask which units made the answer",
        receives=True,
        needs=("gradients",),
    ),
    Tab("generation", "Generate", "Make", "apps.generation", needs=("gradients",)),
    Tab("evaluate", "Evaluate", "Measure", "apps.evaluate", "Measure models on these", takes_many=True),
    Tab("audits", "Audits", "Measure", "apps.auditing", "Audit a model on these", receives=True, takes_many=True),
    Tab("learn", "Train a small CLIP", "Learn", "apps.learn"),
    Tab("race", "Why contrastive?", "Learn", "apps.race"),
)
VIEWS: Table[Tab] = Table("views", Tab, ("apps.tabs:TABS",))
