"""What the start of the page leaves out: work of Gradio that nobody asked for, and libraries of models."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import asyncio, json, sys
from apps import assemble, quick_gradio
from workbench.engine import Engine
gradio = quick_gradio.load()
from gradio import blocks, component_meta, routes
servers = []
real = routes.App.create_app
routes.App.create_app = staticmethod(lambda *given, **more: servers.append(1) or real(*given, **more))
with Engine(default="fake", device="cpu", dtype="float32") as engine:
    async def build():
        return assemble(engine)
    page = asyncio.run(build())
    one = next(iter(page.blocks.values()))
    print(json.dumps({
        "loaded": [name for name in ("torch", "transformers", "scipy", "sklearn", "pyplot") if name in sys.modules],
        "interface files": component_meta.create_or_modify_pyi(1, 2, 3),
        "servers": len(servers),
        "server class": blocks.App is routes.App,
        "parts": len(page.get_config_file()["components"]),
    }))
"""


def test_a_page_is_laid_out_without_model_libraries_and_without_servers_that_never_answer() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen.pop("parts") > 900
    assert seen == {"loaded": [], "interface files": None, "servers": 0, "server class": True}
