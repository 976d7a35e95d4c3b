"""The inside of a model: soft text, activations and interventions, against the same computation done by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from workbench.backend import Tokens
from workbench.checkpoints.shipped import FAKE
from workbench.engine import Engine
from workbench.errors import BadInput, UnknownName, Unsupported
from workbench.fake import FakeBackend
from workbench.hooks import Intervention, ablate, add, clamp, hooked, open_blocks
from workbench.loading.anatomy import anatomy, attention, text_anatomy
from workbench.loading.folding import QuickGelu, quicken_activations
from workbench.loading.openclip import _text
from workbench.loading.torch_backend import TorchBackend, TowerParts
from workbench.preprocessing import Preprocessing

SIDE, DIM, WORDS = 32, 16, 11
IDS = torch.tensor([[9, 3, 4, 10], [9, 5, 10, 0]])  # 10 ends a text, as the highest number
TOKENS = Tokens(IDS, torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]), ())


def backend_of(model: Any, image: Any, text: Any, *, visual: Any, words: Any, table: nn.Embedding) -> TorchBackend:
    towers = TowerParts(
        module=model.eval().requires_grad_(False),
        image=image,
        text=text,
        tokenize=lambda texts: TOKENS,
        preprocessing=Preprocessing(SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        anatomy=anatomy(visual, SIDE),
        dim=DIM,
        logit_scale=10.0,
        attention=attention(visual, image),
        text_anatomy=text_anatomy(words),
        token_embedding=table,
    )
    return TorchBackend(FAKE, towers, "tiny")


def of_transformers() -> TorchBackend:
    from transformers import CLIPConfig, CLIPModel

    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    text = {**size, "vocab_size": WORDS, "max_position_embeddings": 8, "eos_token_id": 10, "bos_token_id": 9}
    vision = {**size, "image_size": SIDE, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=DIM))
    return backend_of(
        model,
        lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output,
        lambda ids, mask: model.get_text_features(input_ids=ids).pooler_output,
        visual=model.vision_model,
        words=model.text_model,
        table=model.text_model.get_input_embeddings(),
    )


def of_open_clip(kind: str) -> TorchBackend:
    from open_clip.model import CLIP

    vision = {"image_size": SIDE, "layers": 3, "width": 32, "patch_size": 8, "head_width": 8}
    if kind == "resnet":
        vision = {"image_size": SIDE, "layers": (1, 1, 1, 1), "width": 8}
    text = {"context_length": 8, "vocab_size": WORDS, "width": 32, "heads": 4, "layers": 3}
    model = CLIP(DIM, vision, text)
    return backend_of(
        model, model.encode_image, _text(model), visual=model.visual, words=model, table=model.token_embedding
    )


TINY = {
    "transformers": of_transformers,
    "open_clip vit": lambda: of_open_clip("vit"),
    "open_clip resnet": lambda: of_open_clip("resnet"),
}


@pytest.fixture(params=TINY, scope="module")
def box(request: pytest.FixtureRequest) -> TorchBackend:
    torch.manual_seed(5)
    return TINY[request.param]()


@pytest.fixture
def pixels() -> Tensor:
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def hooks(box: TorchBackend) -> Iterator[Any]:
    for part in box.towers.module.modules():
        yield from part._forward_hooks.values()
        yield from part._forward_pre_hooks.values()


def rest_of_the_tower(box: TorchBackend, values: Tensor, after: str) -> Tensor:
    """From a layer's output to unit rows, by the tower's own parts, one after the other."""
    layers = list(box.anatomy.layers)
    for name in layers[layers.index(after) + 1 :]:
        layer = box.anatomy.layers[name]
        values = layer(values, attention_mask=None) if "CLIPEncoder" in type(layer).__name__ else layer(values)
        values = values[0] if isinstance(values, tuple) else values
    module: Any = box.towers.module
    if hasattr(module, "visual_projection"):  # transformers
        rows = module.visual_projection(module.vision_model.post_layernorm(values[:, 0]))
    elif box.anatomy.kind == "vit":
        rows = module.visual.ln_post(values[:, 0]) @ module.visual.proj
    else:
        rows = module.visual.attnpool(values)
    return normalize(rows, dim=-1)


# --- text ---------------------------------------------------------------------------------------------------------


def test_rows_of_the_table_as_soft_text_are_the_text_itself(box: TorchBackend) -> None:
    rows = box.token_table[IDS]
    assert rows.shape == (2, 4, 32)
    torch.testing.assert_close(box.embed_tokens(TOKENS, rows), box.encode_tokens(TOKENS))


def test_a_soft_token_is_a_word_that_the_table_could_have_held(box: TorchBackend) -> None:
    """A mixture of two words, put into the table in place of a word that is not used elsewhere, reads the same."""
    table, mixture = box.token_table, 0.25 * box.token_table[3] + 0.75 * box.token_table[7]
    soft = table[IDS].clone()
    soft[0, 2] = mixture
    before = table[6].clone()
    try:
        table[6] = mixture
        expected = box.encode_tokens(Tokens(torch.tensor([[9, 3, 6, 10], [9, 5, 10, 0]]), TOKENS.mask, ()))
    finally:
        table[6] = before
    torch.testing.assert_close(box.embed_tokens(TOKENS, soft), expected)
    assert (expected[0] - box.encode_tokens(TOKENS)[0]).abs().max() > 1e-3


def test_the_gradient_to_soft_text_is_that_of_small_differences(box: TorchBackend) -> None:
    goal = torch.randn(DIM, generator=torch.Generator().manual_seed(2))
    soft = box.token_table[IDS].clone().requires_grad_()
    (slope,) = torch.autograd.grad(box.embed_tokens(TOKENS, soft)[0] @ goal, soft)
    assert slope[1].abs().max() == 0  # one text does not see the other
    direction = torch.randn(soft.shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        up, down = (box.embed_tokens(TOKENS, soft + step * direction)[0] @ goal for step in (5e-4, -5e-4))
    assert float((slope * direction).sum()) == pytest.approx(float(up - down) / 1e-3, rel=0.02, abs=1e-3)


def test_soft_text_of_another_shape_is_refused(box: TorchBackend) -> None:
    with pytest.raises(BadInput, match=r"\(2, 4, 32\); got \(2, 3, 32\)"):
        box.embed_tokens(TOKENS, torch.zeros(2, 3, 32))
    assert not list(hooks(box))


def test_a_model_without_a_table_says_so() -> None:
    fake = FakeBackend()
    tokens = fake.tokenize(["red"])
    assert fake.text_anatomy.kind == "flat"
    torch.testing.assert_close(fake.embed_tokens(tokens), fake.embed_texts(["red"]))
    with pytest.raises(Unsupported, match="token embeddings"):
        fake.embed_tokens(tokens, torch.zeros(1, 3, 32))


def test_text_layers_lead_to_the_embedding(box: TorchBackend) -> None:
    assert (box.text_anatomy.kind, len(box.text_anatomy.layers)) == ("text", 3)
    values = box.text_activations(TOKENS, [*box.text_anatomy.layers, "last"])
    assert {tuple(value.shape) for value in values.values()} == {(2, 4, 32)}
    assert torch.equal(values["last"], list(values.values())[2])
    ends = values["last"][[0, 1], [3, 2]]
    module: Any = box.towers.module
    if hasattr(module, "text_projection") and isinstance(module.text_projection, nn.Linear):
        rows = module.text_projection(module.text_model.final_layer_norm(ends))
    else:
        rows = module.ln_final(ends) @ module.text_projection
    torch.testing.assert_close(normalize(rows, dim=-1), box.encode_tokens(TOKENS))


def test_text_layers_can_be_changed(box: TorchBackend) -> None:
    name = next(iter(box.text_anatomy.layers))
    with box.intervened(text=[add(name, (), 0.0)]):
        torch.testing.assert_close(box.encode_tokens(TOKENS), box.encode_tokens(TOKENS))
    with box.intervened(text=[add(name, [3], 5.0)]):
        moved = box.encode_tokens(TOKENS)
    assert (moved - box.encode_tokens(TOKENS)).abs().max() > 1e-3
    assert not list(hooks(box))


# --- images -------------------------------------------------------------------------------------------------------


def test_every_layer_leads_to_the_embedding(box: TorchBackend, pixels: Tensor) -> None:
    values = box.activations(pixels, list(box.anatomy.layers))
    assert list(values) == list(box.anatomy.layers)
    expected = box.embed_pixels(pixels)
    for name, value in values.items():
        assert value.ndim == (4 if box.anatomy.kind == "convolutional" else 3)
        torch.testing.assert_close(rest_of_the_tower(box, value.clone(), name), expected, atol=1e-5, rtol=1e-4)
    assert not list(hooks(box))


def test_a_units_activation_has_a_gradient_to_the_pixels(box: TorchBackend, pixels: Tensor) -> None:
    points = pixels.clone().requires_grad_()
    name = list(box.anatomy.layers)[1]
    value = box.activations(points, [name])[name]
    channel = value[:, 5] if value.ndim == 4 else value[..., 5]
    (slope,) = torch.autograd.grad(channel[0].mean(), points)
    assert slope[0].abs().max() > 0
    assert slope[1].abs().max() == 0


@pytest.mark.parametrize("kind", ["ablate", "clamp", "add", "add a direction", "some cells"])
def test_an_intervention_is_the_same_change_by_hand(box: TorchBackend, pixels: Tensor, kind: str) -> None:
    name = list(box.anatomy.layers)[1]
    before = box.activations(pixels, [name])[name]
    last = before.movedim(1, -1).clone() if before.ndim == 4 else before.clone()  # channels at the end
    width = last.shape[-1]
    direction = torch.linspace(-1, 1, width)
    changes: dict[str, Intervention] = {
        "ablate": ablate(name, [2, 5]),
        "clamp": clamp(name, [2, 5], [3.0, -1.0]),
        "add": add(name, [2, 5], 2.0),
        "add a direction": add(name, (), direction.tolist()),
        "some cells": Intervention(name, (2,), "set", 4.0, _first_cell(last)),
    }
    if kind == "ablate":
        last[..., 2] = last[..., 5] = 0
    elif kind == "clamp":
        last[..., 2], last[..., 5] = 3.0, -1.0
    elif kind == "add":
        last[..., 2] += 2
        last[..., 5] += 2
    elif kind == "add a direction":
        last += direction
    else:
        last.flatten(1, -2)[:, 0, 2] = 4.0
    expected = rest_of_the_tower(box, last.movedim(-1, 1) if before.ndim == 4 else last, name)
    with box.intervened(changes[kind]):
        changed = box.embed_pixels(pixels)
    torch.testing.assert_close(changed, expected, atol=1e-5, rtol=1e-4)
    plain = box.embed_pixels(pixels)
    assert (changed - plain).abs().max() > 1e-4
    assert not list(hooks(box))


def _first_cell(last: Tensor) -> tuple[tuple[bool, ...], ...]:
    rows, columns = (last.shape[1], last.shape[2]) if last.ndim == 4 else (1, last.shape[1])
    return tuple(tuple((row, column) == (0, 0) for column in range(columns)) for row in range(rows))


def test_interventions_follow_one_another(box: TorchBackend, pixels: Tensor) -> None:
    name = next(iter(box.anatomy.layers))
    with box.intervened(clamp(name, [1], 3.0), add(name, [1], 2.0)):
        twice = box.embed_pixels(pixels)
    with box.intervened(clamp(name, [1], 5.0)):
        torch.testing.assert_close(box.embed_pixels(pixels), twice)


def test_what_cannot_be_done_is_refused_and_leaves_no_hook(box: TorchBackend, pixels: Tensor) -> None:
    name = next(iter(box.anatomy.layers))
    with pytest.raises(UnknownName, match=name), box.intervened(ablate("nowhere", [0])):
        pass
    with pytest.raises(UnknownName, match=name):
        box.activations(pixels, ["nowhere"])
    with pytest.raises(BadInput, match="units 0 to 31; got 2 to 32"), box.intervened(ablate(name, [2, 32])):
        box.embed_pixels(pixels)
    with pytest.raises(BadInput, match="each of 2 units; got 3"), box.intervened(clamp(name, [1, 2], [1.0, 2.0, 3.0])):
        box.embed_pixels(pixels)
    with pytest.raises(BadInput, match="cells"), box.intervened(Intervention(name, (0,), "set", 0.0, ((True,),))):
        box.embed_pixels(pixels)
    assert not list(hooks(box))
    assert open_blocks() == 0


def test_hooks_are_gone_after_an_error_within_the_block(box: TorchBackend, pixels: Tensor) -> None:
    first, second = list(box.anatomy.layers.values())[:2]

    def broken(values: Tensor) -> Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), hooked([(first, lambda values: values), (second, broken)]):
        box.embed_pixels(pixels)
    assert not list(hooks(box))
    assert open_blocks() == 0


# --- the shipped model --------------------------------------------------------------------------------------------


def test_pockets_last_units_add_up_to_the_embedding(pocket: TorchBackend, photos: Path) -> None:
    """Its projection has no bias, so that switching a channel off takes its mean times its column away."""
    from PIL import Image

    square = pocket.prepare(Image.open(photos / "chelsea.png").convert("RGB"))[None].float() / 255
    weight = pocket.towers.module.visual_projection.weight
    with torch.no_grad():
        means = pocket.activations(square, ["last"])["last"].mean(dim=(2, 3))
        torch.testing.assert_close(normalize(means @ weight.T, dim=-1), pocket.embed_pixels(square), atol=1e-6, rtol=0)
        off = [int(unit) for unit in means[0].argsort(descending=True)[:3]]
        with pocket.intervened(ablate("last", off)):
            changed = pocket.embed_pixels(square)
    expected = normalize(means @ weight.T - means[:, off] @ weight.T[off], dim=-1)
    torch.testing.assert_close(changed, expected, atol=1e-6, rtol=0)


def test_pockets_text_is_differentiable_too(pocket: TorchBackend) -> None:
    tokens = pocket.tokenize(["a photo of a cat", "a dog"])
    soft = pocket.token_table[tokens.ids].clone().requires_grad_()
    rows = pocket.embed_tokens(tokens, soft)
    torch.testing.assert_close(rows.detach(), pocket.embed_texts(["a photo of a cat", "a dog"]), atol=1e-6, rtol=0)
    (slope,) = torch.autograd.grad(rows[1, 0], soft)
    assert slope[1].abs().max() > 0
    assert slope[0].abs().max() == 0
    layers = pocket.text_anatomy.layers
    assert pocket.text_activations(tokens, ["last"])["last"].shape == (2, tokens.ids.shape[1], soft.shape[2])
    assert next(iter(layers)) == "layer.0"


# --- with others on the device ------------------------------------------------------------------------------------


def test_a_step_that_leaves_a_block_open_is_refused_and_the_model_is_clean() -> None:
    with Engine(default="pocket", device="cpu") as engine, engine.session("a") as session:

        def careless(box: TorchBackend) -> Iterator[int]:
            with box.intervened(ablate("last", range(1280))):
                yield 1
                yield 2

        with pytest.raises(RuntimeError, match="close `hooked` before the yield"):
            list(session.steps(careless))

        def careful(box: TorchBackend) -> Iterator[int]:
            with box.intervened(ablate("last", range(1280))):
                count = len(list(hooks(box)))
            yield count
            yield len(list(hooks(box)))

        assert list(session.steps(careful)) == [1, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_quick_gelu_in_place_is_the_plain_one_to_the_bit(dtype: torch.dtype) -> None:
    rows = torch.linspace(-9, 9, 1000).to(dtype)
    with torch.no_grad():
        values = QuickGelu()(rows)
    assert torch.equal(values, rows * torch.sigmoid(1.702 * rows))
    assert torch.equal(rows, torch.linspace(-9, 9, 1000).to(dtype))
    points = rows.clone().requires_grad_()
    QuickGelu()(points).sum().backward()
    again = rows.clone().requires_grad_()
    (again * torch.sigmoid(1.702 * again)).sum().backward()
    assert torch.equal(points.grad, again.grad)  # type: ignore[arg-type]


def test_a_loaded_checkpoint_has_no_plain_quick_gelu_left() -> None:
    model = of_transformers().towers.module
    quicken_activations(model)
    names = [type(part).__name__ for part in model.modules()]
    assert "QuickGELUActivation" not in names
    assert names.count("QuickGelu") == 6
