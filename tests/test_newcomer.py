"""Where a newcomer finds things: each behaviour is in a file whose path says so."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# behaviour, the word that a newcomer looks for in paths, the file, and code that does it
BEHAVIOURS = (
    ("the Wilson interval of a share", "interval", "workbench/statistics/intervals.py", 'method="beta" if exact else'),
    (
        "expected calibration error",
        "calibration",
        "workbench/statistics/calibration.py",
        "def expected_calibration_error(",
    ),
    ("Tango's interval of a paired difference", "paired", "workbench/statistics/paired.py", "Tango"),
    ("Obuchowski's test of clustered pairs", "paired", "workbench/statistics/_paired_score.py", "Obuchowski"),
    ("FairFace's label files", "fairface", "audits/datasets/fairface.py", "def fairface_rows("),
    (
        "whether a copy of a data set is whole",
        "published",
        "audits/datasets/published_counts.py",
        "def beside_published(",
    ),
    ("a gap between groups", "gap", "workbench/statistics/gaps.py", "def gap("),
    ("eviction of a model from memory", "model_cache", "workbench/model_cache.py", "def _evict("),
    ("softmax over labels", "zeroshot", "workbench/zeroshot.py", ".softmax("),
    ("OpenAI's eighty templates", "prompts", "workbench/prompts.py", "a photo of the hard to see {}."),
    ("opening an uploaded image", "images", "workbench/images.py", "def safe_open("),
    ("taking turns on the device", "turns", "workbench/scheduler/turns.py", "class "),
    ("stopping work at a deadline", "cancel", "workbench/scheduler/cancel.py", "class CancelScope"),
    ("embeddings kept on disk", "cache/disk", "workbench/cache/disk.py", "sqlite3"),
    ("reading a zip of images", "zips", "workbench/datasets/zips.py", "zipfile"),
    ("reading a CSV of images", "csv", "workbench/datasets/csv_files.py", "csv"),
    ("Grad-CAM", "gradcam", "workbench/attribution/gradcam.py", "def grad_cam("),
    ("projected gradient descent", "pgd", "workbench/attacks/pgd.py", "def pgd("),
    ("whether an attack carries to other models", "transfer", "workbench/typographic/transfer.py", "def transferred("),
    ("the published typographic attacks", "targets", "workbench/typographic/nine_targets.py", "def nine_targets("),
    ("learning a defence against words", "learning", "workbench/typographic/learning.py", "def learn_prefix("),
    ("words near a target", "neighbours", "workbench/typographic/neighbours.py", "def neighbours("),
    ("word against ink", "stroop", "workbench/typographic/stroop.py", "def stroop("),
    ("writing a word on an image", "writing", "workbench/typographic/writing.py", "def write("),
    ("a model made from another by one change", "edited", "workbench/loading/edited.py", "KINDS"),
    ("hooks that are always removed", "hooks", "workbench/hooks.py", "finally"),
    ("the rows of OpenAI's checkpoints", "checkpoints/openai", "workbench/checkpoints/openai.py", "RN50x4"),
    ("downloading a checkpoint", "hub", "workbench/loading/hub.py", "huggingface_hub"),
    ("weights and signs in a query", "query", "workbench/retrieval/query.py", "def parse_query("),
    ("an index that embeds only what is new", "adding", "workbench/retrieval/adding.py", "def add("),
    ("frames of a video", "decoding", "workbench/retrieval/decoding.py", "protocol_whitelist"),
    ("segments of a video for a sentence", "moments", "workbench/retrieval/moments.py", "def find_moments("),
    ("the modality gap", "projection", "workbench/retrieval/projection.py", "def project("),
    ("R@k with a table of captions", "captions", "workbench/retrieval/captions.py", "def evaluate_captions("),
    ("R1@IoU with a table of moments", "moment", "workbench/retrieval/moment_truth.py", "def measure_moments("),
    ("one sentence over many videos", "videos", "workbench/retrieval/videos.py", "def rank_videos("),
    ("CLIP4Clip's seqTransf", "sequence", "workbench/retrieval/sequence.py", "class SequenceHead"),
    ("adding to an index on Ray", "ray", "workbench/retrieval/ray_adding.py", "def embed_on_ray("),
    ("names of clusters on the map", "clusters", "workbench/retrieval/clusters.py", "def name_clusters("),
    ("what safe mode hides", "safety", "workbench/retrieval/safety.py", "def unsafe("),
    ("images that answer to everything", "hubs", "workbench/retrieval/hubs.py", "class QueryBank"),
    ("the contrastive loss", "losses", "workbench/training/losses.py", "def symmetric_cross_entropy("),
    ("cutouts of a canvas", "cutouts", "workbench/generation/cutouts.py", "def draw("),
    ("brush strokes as SVG", "strokes", "workbench/generation/canvases/strokes.py", "def svg("),
    ("the growth of an image as mp4", "video", "workbench/generation/video.py", "libx264"),
    ("a guided step of diffusion", "guidance", "workbench/generation/diffusion/guidance.py", "def guided_step("),
    ("a checkpoint of diffusers", "checkpoint", "workbench/generation/diffusion/checkpoint.py", "def load_checkpoint("),
    ("a global direction of an edit", "editing", "workbench/generation/editing.py", "def global_direction("),
    ("the prior for diffusers", "exported", "workbench/generation/exported/export.py", "def export_prior("),
    ("a grid of images", "grids", "workbench/generation/grids.py", "def sheet("),
    ("settings inside a PNG", "metadata", "workbench/generation/metadata.py", "def from_png("),
    ("exit codes of commands", "exit_codes", "workbench/cli/exit_codes.py", "EXIT_CODES"),
    ("thresholds of a release gate", "thresholds", "audits/comparing/thresholds.py", "class "),
    ("what a report says about calibration", "calibration/text", "audits/calibration/text.py", "HOW_TO_READ"),
    ("the axes and colours of charts", "charts", "apps/shared/charts.py", "Cividis"),
    (
        "a cosine as a sum over units",
        "decomposition",
        "workbench/neurons/decomposition.py",
        "def decompositions(",
    ),
    ("names for a unit, beside a shuffled one", "naming", "workbench/neurons/naming.py", "def name_units("),
    ("which few units decide a class", "sparse_probe", "workbench/neurons/sparse_probe.py", "def sparse_probe("),
    ("texts for an attention head", "text_span", "workbench/neurons/text_span.py", "def text_span("),
    ("attention heads that read words", "head_learning", "workbench/typographic/head_learning.py", "def learn_heads("),
    ("images painted for a unit", "visualisation", "workbench/neurons/visualisation.py", "def paint("),
    ("a sparse autoencoder", "dictionary", "workbench/neurons/dictionary.py", "def learn("),
    ("the file of a layer's activations", "atlas", "workbench/neurons/atlas.py", "def write_atlas("),
    ("refusing a request from another site", "origins", "apps/serving/origins.py", "def check_origin("),
    ("the CLIP paper's linear probe", "probes/linear", "workbench/probes/linear.py", "parametric_search"),
    ("the search for the probe's penalty", "strength", "workbench/probes/strength.py", "PER_DECADE = 8"),
    ("dropping models that are far behind", "choosing", "workbench/probes/choosing.py", "def surviving("),
    ("few-shot probes", "few_shot", "workbench/probes/few_shot.py", "def drawn_shots("),
    ("Tip-Adapter's cache", "tip_adapter", "workbench/probes/adapters/tip_adapter.py", "def cache_logits("),
    ("the paper's 27 data sets", "paper_sets", "workbench/probes/suite/paper_sets.py", "PAPER_SETS"),
    ("the search for templates", "prompt_search", "workbench/probes/prompt_search.py", "def greedy("),
    ("flags for images of no class", "unknown", "workbench/probes/unknown.py", "def known_scores("),
    ("effective robustness of adapted models", "robustness", "workbench/probes/robustness.py", "def plane("),
    ("probable label errors", "label_errors", "workbench/probes/label_errors.py", "def confident_joint("),
    ("which errors mean a lost device", "attempt", "workbench/scheduler/attempt.py", "def device_lost("),
    ("test images that are in train too", "duplicates", "workbench/probes/duplicates.py", "CORRELATION"),
)


def test_there_are_twenty_behaviours_in_as_many_files() -> None:
    assert len({path for _, _, path, _ in BEHAVIOURS}) == len(BEHAVIOURS) >= 20


@pytest.mark.parametrize(("behaviour", "word", "path", "code"), BEHAVIOURS, ids=[row[0] for row in BEHAVIOURS])
def test_a_newcomer_finds_it(behaviour: str, word: str, path: str, code: str) -> None:
    assert word in path
    assert code in (ROOT / path).read_text(encoding="utf-8"), behaviour
    others = [
        file.relative_to(ROOT).as_posix() for room in ("workbench", "apps") for file in (ROOT / room).rglob("*.py")
    ]
    same = [other for other in others if word in other and other != path]
    assert len(same) <= 12, f"{word!r} leads to {same}"
