"""The fifteen corruptions: those without a lot against the reference library, the others against their own formulas."""

from __future__ import annotations

import hashlib

import imagecorruptions
import numpy as np
import pytest
from imagecorruptions import corruptions as reference
from PIL import Image

from audits.fractal_noise import plasma
from audits.robustness.corruptions import blur, digital, noise, weather
from audits.robustness.corruptions.change import CORRUPTIONS, SEVERITIES, disturb, find
from workbench.errors import BadInput, UnknownName


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    import skimage.data

    return Image.fromarray(skimage.data.astronaut()).resize((224, 224), Image.Resampling.BICUBIC)


GREY = np.full((224, 224, 3), 0.5)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_fifteen_of_the_paper_in_its_order() -> None:
    assert [row.name for row in CORRUPTIONS] == imagecorruptions.get_corruption_names()
    assert [row.family for row in CORRUPTIONS] == ["noise"] * 3 + ["blur"] * 4 + ["weather"] * 4 + ["digital"] * 4


# zoom_blur: the library pads what ImageNet-C cuts to the centre, which is checked on its own below
@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", ["defocus_blur", "brightness", "contrast", "pixelate", "jpeg_compression"])
def test_without_a_lot_the_reference_library_says_the_same(photo: Image.Image, name: str, severity: int) -> None:
    ours = np.asarray(disturb(photo, name, severity, seed=0, sample_id="a"), int)
    theirs = imagecorruptions.corrupt(np.asarray(photo), corruption_name=name, severity=severity).astype(int)
    assert np.abs(ours - theirs).max() <= 1  # their kernel is in single precision; cut to whole values
    assert (ours == theirs).mean() > 0.95  # they cut 99.9999 to 99
    assert not find(name).random


@pytest.mark.parametrize("severity", SEVERITIES)
def test_zooming_averages_with_centred_enlargements(photo: Image.Image, severity: int) -> None:
    pixels = np.asarray(photo, np.float64) / 255
    ours = blur.zoom_blur(pixels, severity, rng())
    steps = {1: (1.11, 0.01), 2: (1.16, 0.01), 3: (1.21, 0.02), 4: (1.26, 0.02), 5: (1.31, 0.03)}[severity]
    total = pixels.copy()
    factors = np.arange(1, *steps)
    for factor in factors:
        large = reference.clipped_zoom(pixels, factor)
        top = (large.shape[0] - 224) // 2
        total += large[top : top + 224, top : top + 224]
    assert np.allclose(ours, total / (len(factors) + 1))


@pytest.mark.parametrize("degrees", [-45.0, -10.0, 0.0, 30.0, -100.0])
def test_motion_draws_the_trail_of_the_reference_library(photo: Image.Image, degrees: float) -> None:
    pixels = np.asarray(photo, np.float64) / 255
    ours = blur.trail(pixels, 15, sigma=8, degrees=degrees)
    theirs = reference._motion_blur(pixels, 15, 8, degrees)
    inner = slice(32, -32)  # they treat the edge differently and round halves the other way
    change, expected = (ours - pixels)[inner, inner].ravel(), (theirs - pixels)[inner, inner].ravel()
    assert np.corrcoef(change, expected)[0, 1] > 0.97  # a mirrored direction or another fading would not follow it


@pytest.mark.parametrize(("severity", "sigma"), list(zip(SEVERITIES, (0.08, 0.12, 0.18, 0.26, 0.38), strict=True)))
def test_gaussian_noise_has_its_spread(severity: int, sigma: float) -> None:
    added = noise.gaussian_noise(GREY, severity, rng()) - GREY
    assert added.std() == pytest.approx(sigma, rel=0.01)
    assert abs(added.mean()) < 0.003


@pytest.mark.parametrize(("severity", "photons"), list(zip(SEVERITIES, (60, 25, 12, 5, 3), strict=True)))
def test_shot_noise_has_the_variance_of_counted_light(severity: int, photons: int) -> None:
    counted = noise.shot_noise(GREY, severity, rng())
    assert counted.mean() == pytest.approx(0.5, rel=0.01)
    assert counted.var() == pytest.approx(0.5 / photons, rel=0.02)


@pytest.mark.parametrize(("severity", "share"), list(zip(SEVERITIES, (0.03, 0.06, 0.09, 0.17, 0.27), strict=True)))
def test_impulses_hit_their_share_half_black_half_white(severity: int, share: float) -> None:
    hit = noise.impulse_noise(GREY, severity, rng())
    assert (hit != 0.5).mean() == pytest.approx(share, rel=0.03)
    assert (hit == 1).sum() == pytest.approx((hit == 0).sum(), rel=0.06)


def test_glass_only_moves_pixels_and_not_far() -> None:
    slope = np.repeat(np.linspace(0, 1, 224)[None, :, None], 224, axis=0).repeat(3, axis=2)
    for severity, reach in zip(SEVERITIES, (1, 2, 2, 3, 4), strict=True):
        moved = blur.glass_blur(slope, severity, rng())
        assert moved.mean() == pytest.approx(0.5, abs=0.01)
        assert 0 < np.abs(moved - slope).mean() < 3 * reach / 224


def test_snow_falls_white_and_more_of_it_with_severity() -> None:
    means = [np.clip(weather.snow(GREY, severity, rng()), 0, 1).mean() for severity in (1, 3, 5)]
    assert 0.5 < means[0] < means[1]
    assert means[2] > 0.75


def test_frost_is_bluish_ice_that_another_lot_draws_elsewhere() -> None:
    ice = weather.ice_film(224, 224, rng=rng())
    assert ice.shape == (224, 224, 3)
    assert ice.min() >= 0
    assert ice.max() <= 1
    assert (ice[..., 2] >= ice[..., 0]).all()
    assert np.abs(ice - weather.ice_film(224, 224, rng=np.random.default_rng(1))).mean() > 0.05


def test_a_cloud_fills_its_range_and_fog_keeps_the_brightest_value() -> None:
    cloud = plasma(256, decay=1.4, rng=rng())
    assert (cloud.min(), cloud.max(), cloud.shape) == (0, 1, (256, 256))
    neighbours = np.abs(np.diff(cloud, axis=0)).mean()
    assert neighbours < 0.05 < cloud.std()  # smooth, not noise
    foggy = weather.fog(GREY, 5, rng())
    assert foggy.max() <= 0.5 + 1e-9
    assert foggy.min() >= 0.5 * 0.5 / 3.5 - 1e-9  # (0.5 + 0) * 0.5 / (0.5 + 3)


def test_warping_follows_its_shear_when_nothing_else_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    square = np.random.default_rng(3).random((64, 64, 3))
    monkeypatch.setattr(digital, "_WARP", ((0, 0.01, 0),) * 5)
    assert np.allclose(digital.elastic_transform(square, 1, rng()), square)
    monkeypatch.setattr(digital, "_WARP", ((0, 0.01, 0.2),) * 5)
    assert np.abs(digital.elastic_transform(square, 1, rng()) - square).mean() > 0.05


def test_the_size_is_kept_and_need_not_be_square(photo: Image.Image) -> None:
    wide = photo.crop((0, 0, 150, 97))
    for row in CORRUPTIONS:
        changed = disturb(wide, row.name, 3, seed=0, sample_id="a")
        assert (changed.size, changed.mode) == (wide.size, "RGB")


@pytest.mark.parametrize("row", CORRUPTIONS, ids=lambda row: row.name)
def test_a_lot_belongs_to_seed_picture_name_and_severity(photo: Image.Image, row) -> None:  # type: ignore[no-untyped-def]
    small = photo.resize((64, 64))

    def look(severity: int = 2, seed: int = 0, sample: str = "a") -> str:
        changed = disturb(small, row.name, severity, seed=seed, sample_id=sample)
        return hashlib.sha256(changed.tobytes()).hexdigest()

    assert look() == look() != look(severity=3)
    assert (look() != look(seed=1)) is row.random
    assert (look() != look(sample="b")) is row.random


def test_no_such_corruption_or_severity(photo: Image.Image) -> None:
    with pytest.raises(UnknownName, match="fogg"):
        disturb(photo, "fogg", 1, seed=0, sample_id="a")
    with pytest.raises(BadInput, match="got 6"):
        disturb(photo, "fog", 6, seed=0, sample_id="a")
