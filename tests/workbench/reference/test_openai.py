"""Full-size towers, saved and loaded through the real code, against OpenAI's implementation and open_clip's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from workbench import loading
from workbench.errors import WorkbenchError
from workbench.images import safe_open
from workbench.loading.torch_backend import TorchBackend

pytestmark = pytest.mark.heavy
TEXTS = [
    "a photo of a cat.",
    "Crème brûlée &amp;amp; coffee ☕",
    "x",
    "an origami rocket, " * 3,
    "a diagram of everything " * 40,
]
NAMES = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png", "logo.png")


def load(folder: Path) -> TorchBackend:
    return loading.load(f"folder:{folder}", device="cpu", dtype="float32")


def expected(openai: Any, model: Any, photos: Path) -> tuple[Tensor, Tensor]:
    """Embeddings by OpenAI's own path, from opened pictures and texts on."""
    transform = openai.clip._transform(224)
    pictures = torch.stack([transform(safe_open(photos / name)) for name in NAMES])
    with torch.inference_mode():
        images = model.encode_image(pictures)
        texts = model.encode_text(openai.clip.tokenize(TEXTS, truncate=True))
    return normalize(images, dim=-1), normalize(texts, dim=-1)


def check(backend: TorchBackend, openai: Any, model: Any, photos: Path) -> None:
    images, texts = expected(openai, model, photos)
    torch.testing.assert_close(backend.embed_images([photos / name for name in NAMES]), images, atol=1e-5, rtol=0)
    torch.testing.assert_close(backend.embed_texts(TEXTS), texts, atol=1e-5, rtol=0)
    assert backend.logit_scale == pytest.approx(float(model.logit_scale.detach().exp()), rel=1e-5)
    assert backend.logit_bias == 0.0


def test_vit_in_transformers_format(openai: Any, vit: Any, vit_transformers: Path, photos: Path) -> None:
    backend = load(vit_transformers)
    check(backend, openai, vit, photos)
    assert (backend.dim, backend.image_size) == (512, 224)
    assert (backend.anatomy.kind, backend.anatomy.grid, backend.anatomy.prefix_tokens) == ("vit", (7, 7), 1)
    assert list(backend.anatomy.layers) == [f"layers.{number}" for number in range(12)]


@pytest.mark.parametrize(("architecture", "fixture"), [("ViT-B-32-quickgelu", "vit"), ("RN50-quickgelu", "resnet")])
def test_open_clip_format(
    openai: Any,
    photos: Path,
    open_clip_folder: Callable[..., Path],
    request: pytest.FixtureRequest,
    architecture: str,
    fixture: str,
) -> None:
    import open_clip

    model = request.getfixturevalue(fixture)
    backend = load(open_clip_folder(architecture, model.state_dict()))
    check(backend, openai, model, photos)
    theirs = open_clip.create_model(architecture, pretrained=None, load_weights=False)
    theirs.load_state_dict(model.state_dict(), strict=True)
    theirs.eval()
    check(backend, openai, theirs, photos)
    if fixture == "resnet":
        assert (backend.anatomy.kind, backend.anatomy.grid) == ("convolutional", (7, 7))
        assert list(backend.anatomy.layers) == ["layer1", "layer2", "layer3", "layer4"]
        with pytest.raises(WorkbenchError, match="attention"):
            backend.attention(torch.zeros(1, 3, 224, 224))


def test_quick_gelu_is_what_the_configuration_says(
    openai: Any, vit: Any, photos: Path, open_clip_folder: Callable[..., Path]
) -> None:
    """The same weights under the architecture without -quickgelu are another model: the reference tells them apart."""
    backend = load(open_clip_folder("ViT-B-32", vit.state_dict()))
    _, texts = expected(openai, vit, photos)
    assert (backend.embed_texts(TEXTS) - texts).abs().max() > 1e-3


@pytest.mark.parametrize("form", ["transformers", "open_clip"])
def test_attention_is_that_of_the_answer(
    vit: Any, vit_transformers: Path, open_clip_folder: Callable[..., Path], form: str
) -> None:
    """Visible attention gives the same embedding, sums to one, and carries gradient; afterwards all is as before."""
    folder = vit_transformers if form == "transformers" else open_clip_folder("ViT-B-32-quickgelu", vit.state_dict())
    backend = load(folder)
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        before = backend.embed_pixels(pixels)
    rows, maps = backend.attention(pixels)
    torch.testing.assert_close(rows.detach(), before, atol=1e-5, rtol=0)
    assert [tuple(one.shape) for one in maps] == [(2, 12, 50, 50)] * 12
    torch.testing.assert_close(maps[0].sum(dim=-1), torch.ones(2, 12, 50))
    gradients = torch.autograd.grad(rows[:, 0].sum(), maps)
    assert all(float(one.abs().max()) > 0 for one in gradients[:-1])
    with torch.no_grad():
        torch.testing.assert_close(backend.embed_pixels(pixels), before, atol=0, rtol=0)


@pytest.mark.heavy
def test_bfloat16_embeddings_stay_beside_those_of_float32(vit_transformers: Path, photos: Path) -> None:
    pictures = [photos / name for name in ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")]
    prompts = [f"a photo of a {label}." for label in ("cat", "coffee cup", "rocket", "astronaut")]
    folder = f"folder:{vit_transformers}"
    whole, half = (loading.load(folder, device="cpu", dtype=dtype) for dtype in ("float32", "bfloat16"))
    for one, other in (
        (whole.embed_images(pictures), half.embed_images(pictures)),
        (whole.embed_texts(prompts), half.embed_texts(prompts)),
    ):
        cosines = (one * other).sum(dim=1)
        assert cosines.min() > 0.999
        assert cosines.max() < 1 - 1e-7  # the second model does compute in another format
