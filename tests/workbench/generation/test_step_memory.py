"""Memory of a step at 512 pixels and 64 cutouts with a ViT-B/32 of seeded weights: a cap, whatever the cutouts."""

from __future__ import annotations

import subprocess
import sys

import pytest

CAP = 1500  # MB beside the weights
STEP = """
import resource
import numpy as np, torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
from workbench.backend import Anatomy
from workbench.generation.optimisation import optimise
from workbench.generation.painting import CanvasJob
from workbench.generation.settings import read_settings

class Box:
    anatomy, device, dtype, dim, image_size = Anatomy("vit"), torch.device("cpu"), torch.float32, 512, 224
    def __init__(self):
        torch.manual_seed(0)
        self.tower = CLIPVisionModelWithProjection(CLIPVisionConfig(projection_dim=512)).eval().requires_grad_(False)
    def embed_pixels(self, pixels):
        return torch.nn.functional.normalize(self.tower(pixels).image_embeds, dim=1)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

box = Box()
with torch.no_grad():
    box.embed_pixels(torch.rand(1, 3, 224, 224))
before = peak()
for cutouts in (16, 64):  # in one process: its peak only rises
    settings = read_settings({"prompt": "x", "side": 512, "cutouts": cutouts, "steps": 1, "method": "fourier"})
    list(optimise([box], CanvasJob(settings, np.eye(512, dtype=np.float32)[:1], (1.0,))))
    print(peak() - before)
"""


@pytest.mark.heavy
def test_a_step_keeps_to_the_cap_and_more_cutouts_cost_no_memory() -> None:
    done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sixteen, sixty_four = map(float, done.stdout.split())
    assert sixty_four < CAP
    assert sixty_four < sixteen + 200  # 48 more at once would take gigabytes
