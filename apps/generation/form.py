"""The form: a sentence and a style in front, everything else folded."""

from __future__ import annotations

from typing import Any

import gradio as gr

from apps.generation import words
from apps.shared.model_menu import choices
from apps.shared.widgets import image_box
from workbench.generation.canvases.plain import PALETTES
from workbench.generation.settings import Settings

_DEFAULT = Settings(prompt=words.PRESETS[0], method="prior" if words.HAS_PRIOR else "fourier")


def front() -> dict[str, Any]:
    """Sentence, style, time and seed; names are those of the settings."""
    prompt = gr.Textbox(
        words.PRESETS[0], label="Sentence", lines=2, elem_id="generation-prompt",
        info="What the image should show. Join several with | and give weights: a castle | fog:-0.3. A unit counts as "
        "well: a castle | unit:last/373:0.5, and so does a manner: a dog | facet:drawing (or photo, word)",
    )  # fmt: skip
    method = gr.Dropdown(
        words.styles(), value=_DEFAULT.method, label="Style", info="How the image is painted.",
        elem_id="generation-method",
    )  # fmt: skip
    with gr.Row():
        seconds = gr.Slider(
            2, 300, _DEFAULT.seconds, step=1, label="Seconds", info="More time, a better image.", scale=2
        )
        seed = gr.Number(0, precision=0, minimum=0, label="Seed", info="Another image.", scale=1, min_width=120)
    return {"prompt": prompt, "method": method, "seconds": seconds, "seed": seed}


def folded() -> dict[str, Any]:
    """All other settings, in tabs."""
    rows: dict[str, Any] = {}
    with gr.Tab("Edit an image of yours", elem_id="generation-editing", render_children=True):
        rows["start"] = image_box("Start image", height=200, elem_id="generation-start")
        rows["neutral"] = gr.Textbox(
            "", label="What it shows now", info="A sentence about the start image, such as: a face.",
            placeholder="a photo of a cup", elem_id="generation-neutral",
        )  # fmt: skip
        rows["strength"] = gr.Slider(
            -2, 2, 1, step=0.1, label="Strength", info="Below zero, away from the sentence. Counts with a start image."
        )
        rows["likeness"] = gr.Slider(0, 5, 0.5, step=0.1, label="Likeness", info="Weight of staying near the start.")
        rows["edit"] = gr.Dropdown(
            [("draw it anew", "follow"), ("change it in steps", "gradient"), ("one direction for all", "direction")],
            value="follow", label="Kind of edit (prior)",
            info="From its noise, along the model's gradient, or along a direction that suits all images.",
        )  # fmt: skip
        rows["threshold"] = gr.Slider(
            0, 1, 0.1, step=0.05, label="Threshold of the direction", info="Higher changes less beside what is wanted."
        )
        rows["noising"] = gr.Slider(
            0.1, 1, 0.6, step=0.05, label="Noising", info="Prior only: how far back to noise the edit goes."
        )
    with gr.Tab("Grid: many images at once", elem_id="generation-grid", render_children=True):
        rows["grid_prompts"] = gr.Textbox(
            "", label="More sentences", lines=2, info="One a line; each is a row.", elem_id="generation-grid-prompts"
        )
        rows["grid_seeds"] = gr.Slider(1, 6, 1, step=1, label="Seeds", info="Columns.", elem_id="generation-grid-seeds")
        rows["grid_methods"] = gr.CheckboxGroup(words.styles(), value=[], label="Styles to compare")
        rows["grid_strengths"] = gr.Checkbox(False, label="A row of strengths", info="From -1.5 to 1.5, of an edit.")
    rows |= _drawings()
    rows |= _models()
    with gr.Tab("More settings", elem_id="generation-more", render_children=True):
        whole: dict[str, Any] = {"precision": 0, "minimum": 0}
        rows["steps"] = gr.Number(0, label="Steps", info="0: as many as the seconds allow. A number repeats.", **whole)
        rows["side"] = gr.Slider(64, 512, 256, step=32, label="Side", info="Pixels.")
        rows["cutouts"] = gr.Slider(1, 64, 8, step=1, label="Cutouts", info="Views of the image in each step.")
        rows["wide"] = gr.Slider(0, 1, 0.8, step=0.1, label="Wide cutouts", info="Share that shows nearly all of it.")
        rows["augment"] = gr.Checkbox(True, label="Warp cutouts", info="Turns, tilts, tints and noise.")
        rows["smooth"] = gr.Slider(0, 2, 0.2, step=0.05, label="Smoothness", info="Weight against noise.")
        rows["symmetry"] = gr.Slider(0, 2, 0, step=0.1, label="Symmetry", info="Weight for a mirror image.")
        rows["clipping"] = gr.Slider(0, 2, 0, step=0.1, label="Pale range", info="Weight against pure black and white.")
        rows["saturation"] = gr.Slider(0, 3, 1, step=0.1, label="Saturation", info="Fourier only.")
        rows["decay"] = gr.Slider(0, 2, 1.5, step=0.1, label="Decay", info="Fourier only; higher is smoother.")
        rows["strokes"] = gr.Slider(4, 200, 48, step=4, label="Strokes", info="Strokes only.")
        rows["cells"] = gr.Slider(8, 128, 32, step=8, label="Squares in a row", info="Pixels only.")
        rows["palette"] = gr.Dropdown([*PALETTES], value="free", label="Palette", info="Pixels only.")
        rows["inside"] = gr.Checkbox(True, label="Settings inside the PNG", info="Without them it cannot be restored.")
    return rows


def _drawings() -> dict[str, Any]:
    """How the prior draws."""
    rows: dict[str, Any] = {}
    with gr.Tab("The prior's drawings", elem_id="generation-prior", render_children=True):
        rows["drawing"] = gr.Dropdown(words.DRAWINGS, value="any", label="Artwork", info="Whose style it draws in.")
        rows["candidates"] = gr.Slider(1, 32, 8, step=1, label="Candidates", info="Drawings in each round.")
        rows["guidance"] = gr.Slider(0, 10, 3, step=0.5, label="Guidance", info="How far the sentence is stressed.")
        rows["denoising"] = gr.Slider(4, 64, 16, step=4, label="Denoising steps", info="From noise to drawing.")
        rows["search"] = gr.Dropdown(
            [("new each round", "fresh"), ("near the best so far", "near")], value="fresh", label="Starting noise",
            info="Where the next round's drawings begin.",
        )  # fmt: skip
        rows["guide"] = gr.Dropdown(
            [("MPGD", "mpgd"), ("DPS", "dps"), ("FreeDoM", "freedom"), ("Universal Guidance", "universal"),
             ("TFG", "tfg"), ("none", "none")],
            value="mpgd", label="Guide", info="How the push follows the score.",
        )  # fmt: skip
        rows["push"] = gr.Slider(
            0, 5, 1, step=0.5, label="Push", info="Along the model's gradient: clearer, and slower. 0: best of many."
        )
    return rows


def _models() -> dict[str, Any]:
    """What else the image shall be like, and who else looks."""
    rows: dict[str, Any] = {}
    with gr.Tab("Image prompt and further models", elem_id="generation-models", render_children=True):
        rows["image"] = image_box("Image prompt", height=200, elem_id="generation-image-prompt")
        rows["image_weights"] = gr.Slider(
            -2, 2, 1, step=0.1, label="Weight of the image prompt", info="The sentence has 1; below zero, unlike it."
        )
        rows["also"] = gr.Dropdown(
            choices(), value=[], multiselect=True, max_choices=4, label="Further models that steer",
            info="The image has to please all of them.", elem_id="generation-also",
        )  # fmt: skip
        rows["judge"] = gr.Dropdown(
            [("the shipped model that steers nothing", ""), *choices()], value="", label="Judge",
            info="A model that did not steer judges the result.", elem_id="generation-judge",
        )  # fmt: skip
    return rows
