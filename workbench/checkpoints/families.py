"""Model families: kinds of checkpoints, and the function that reads each."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.checkpoints.spec import Score


@dataclass(frozen=True)
class ModelFamily:
    """One kind of checkpoint.

    A folder of the family holds safetensors, tokenizer, preprocessing, and a config.json whose `model_type` is the key.
    """

    key: str
    load: (
        str  # "module:function" (folder, device, dtype, *, frozen=True) -> TowerParts; imported when a model is loaded
    )
    score: Score = "softmax"  # what the family is trained for


OPEN_CLIP = ModelFamily("open_clip", "workbench.loading.openclip:load_folder")  # has open_clip_config.json instead
FAMILIES = (
    ModelFamily("clip", "workbench.loading.hf:clip"),
    ModelFamily("siglip", "workbench.loading.hf:siglip", "sigmoid"),
    ModelFamily("siglip2", "workbench.loading.hf:siglip2", "sigmoid"),
    ModelFamily("metaclip_2", "workbench.loading.hf:metaclip_2"),
    ModelFamily("altclip", "workbench.loading.hf:altclip"),
    ModelFamily("chinese_clip", "workbench.loading.hf:chinese_clip"),
    ModelFamily("vision-text-dual-encoder", "workbench.loading.hf:dual_encoder"),
    OPEN_CLIP,
)
