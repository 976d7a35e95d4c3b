"""Who is measured: one question put to transformers' pipeline, an open_clip loop, ONNX Runtime, OpenVINO and ours.

Each peer opens the same weights once and then answers (pictures, labels, templates) -> probabilities (n, k), float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.material import ARCHITECTURE, BenchmarkData

if TYPE_CHECKING:
    from torch import Tensor

Answer = Callable[[Sequence[Path], Sequence[str], Sequence[str]], np.ndarray]
BATCH = 32
OURS_BY_OPENVINO = "ours, device openvino"


def open_ours(material: BenchmarkData, dtype: str = "float32", device: str = "auto") -> Answer:
    """The workbench as a user of its Python API calls it."""
    from workbench.loading import load
    from workbench.zeroshot import classify

    backend = load(f"folder:{material.transformers}", device=device, dtype=dtype)
    return lambda pictures, labels, templates: classify(
        backend, pictures, labels, templates=templates
    ).probabilities.numpy()


def open_pipeline(material: BenchmarkData, dtype: str = "float32", batch_size: int = 1) -> Answer:
    """Transformers' own pipeline, all filled-in prompts as candidate labels, scores summed over templates."""
    import torch
    from transformers import pipeline

    ask = pipeline(
        "zero-shot-image-classification",
        model=str(material.transformers),
        device="cpu",
        dtype=getattr(torch, dtype),
        batch_size=batch_size,
    )

    def answer(pictures: Sequence[Path], labels: Sequence[str], templates: Sequence[str]) -> np.ndarray:
        prompts = {template.replace("{}", label): k for k, label in enumerate(labels) for template in templates}
        answers = ask([str(one) for one in pictures], candidate_labels=list(prompts), hypothesis_template="{}")
        out = np.zeros((len(pictures), len(labels)), dtype=np.float32)
        for row, scores in enumerate(answers):
            for entry in scores:
                out[row, prompts[entry["label"]]] += entry["score"]
        return out

    return answer


def open_pipeline_batched(material: BenchmarkData, dtype: str = "float32") -> Answer:
    """The same pipeline, told to take 32 pictures at a time."""
    return open_pipeline(material, dtype, batch_size=BATCH)


def open_open_clip(material: BenchmarkData, dtype: str = "float32") -> Answer:
    """The loop of open_clip's documentation, done well: batches of 32, the classifier built once for each call."""
    import torch

    model, transform, tokenizer = open_clip_model(material)
    model = model.to(getattr(torch, dtype))
    return _loop(
        lambda pixels: model.encode_image(pixels.to(getattr(torch, dtype))),
        lambda prompts: model.encode_text(tokenizer(prompts)),
        transform,
        float(model.logit_scale.exp()),
    )


def open_onnxruntime(material: BenchmarkData, dtype: str = "float32") -> Answer:
    """The image tower exported to ONNX Runtime; everything else as in the open_clip loop."""
    import onnxruntime
    import torch

    model, transform, tokenizer = open_clip_model(material)
    file = _exported(model, material)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    tower = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return _loop(
        lambda pixels: torch.from_numpy(tower.run(["rows"], {"pixels": pixels.numpy()})[0]),
        lambda prompts: model.encode_text(tokenizer(prompts)),
        transform,
        float(model.logit_scale.exp()),
    )


def open_openvino(material: BenchmarkData, dtype: str = "float32") -> Answer:
    """The image tower compiled by OpenVINO; everything else as in the open_clip loop."""
    import torch

    from workbench.loading.openvino_tower import import_openvino

    openvino = import_openvino()
    model, transform, tokenizer = open_clip_model(material)
    converted = openvino.Core().read_model(_exported(model, material))
    limits = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "INFERENCE_PRECISION_HINT": "f32"}
    tower = openvino.compile_model(converted, "CPU", limits)
    return _loop(
        lambda pixels: torch.from_numpy(next(iter(tower(pixels.numpy()).values()))),
        lambda prompts: model.encode_text(tokenizer(prompts)),
        transform,
        float(model.logit_scale.exp()),
    )


PEERS: dict[str, Callable[..., Answer]] = {
    "ours": open_ours,
    OURS_BY_OPENVINO: partial(open_ours, device="openvino"),
    "transformers pipeline": open_pipeline,
    "transformers pipeline, batch 32": open_pipeline_batched,
    "open_clip loop": open_open_clip,
    "ONNX Runtime tower": open_onnxruntime,
    "OpenVINO tower": open_openvino,
}


WITH_BFLOAT16 = ("ours", OURS_BY_OPENVINO, "transformers pipeline", "transformers pipeline, batch 32", "open_clip loop")


def open_clip_model(material: BenchmarkData) -> tuple[Any, Any, Any]:
    """The material's towers, transform and tokenizer as open_clip gives them."""
    import open_clip
    from safetensors.torch import load_file

    model, _, transform = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=None)
    model.load_state_dict(load_file(material.open_clip))
    return model.eval(), transform, open_clip.get_tokenizer(ARCHITECTURE)


def _exported(model: Any, material: BenchmarkData) -> Path:
    """The image tower as an ONNX file, written once a run."""
    import torch

    file = material.folder / "image-tower.onnx"
    if not file.exists():
        names: dict[str, Any] = {"input_names": ["pixels"], "output_names": ["rows"]}
        axes = {"pixels": {0: "n"}, "rows": {0: "n"}}
        example = (torch.zeros(2, 3, 224, 224),)
        torch.onnx.export(model.visual, example, file, dynamo=False, opset_version=17, dynamic_axes=axes, **names)
    return file


def _loop(
    image: Callable[[Tensor], Tensor], text: Callable[[list[str]], Tensor], transform: Any, scale: float
) -> Answer:
    import torch
    from PIL import Image
    from torch.nn.functional import normalize

    @torch.inference_mode()
    def answer(pictures: Sequence[Path], labels: Sequence[str], templates: Sequence[str]) -> np.ndarray:
        prompts = [template.replace("{}", label) for label in labels for template in templates]
        parts = [normalize(text(prompts[i : i + BATCH]).float(), dim=-1) for i in range(0, len(prompts), BATCH)]
        weights = normalize(torch.cat(parts).view(len(labels), len(templates), -1).mean(dim=1), dim=-1)
        rows = []
        for i in range(0, len(pictures), BATCH):
            pixels = torch.stack([transform(Image.open(one)) for one in pictures[i : i + BATCH]])
            rows.append(normalize(image(pixels).float(), dim=-1))
        probabilities: np.ndarray = (scale * torch.cat(rows) @ weights.T).softmax(dim=-1).numpy()
        return probabilities

    return answer
