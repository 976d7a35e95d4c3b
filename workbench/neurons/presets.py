"""Units that were published with a name, of the model whose multimodal neurons were first described.

Source:
    Goh et al. 2021, doi:10.23915/distill.00030; units of the last block before attention pooling. Units about living
    people are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

MODEL = "open_clip:RN50x4/openai"
FAMOUS: Mapping[str, int] = {  # what the article calls it -> unit of the last layer
    "Spider-Man": 550,
    "Star Wars": 2500,
    "yellow": 713,
    "happy": 1512,
    "shocked": 2478,
    "crying": 1193,
    "sleepy": 91,
    "serious": 2049,
    "USA": 862,
    "Europe": 218,
    "India": 1067,
    "West Africa": 1257,
    "Australia": 513,
    "New York": 357,
    "mental health": 2191,
    "pregnancy": 2401,
    "parents": 572,
    "elderly": 839,
    "teenage": 2231,
    "anime": 122,
    "drawing": 75,
    "painting": 587,
    "piggy bank, finance": 1330,
    "waste container": 1156,
    "iPod, Apple": 1450,
}
