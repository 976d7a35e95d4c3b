"""The house rules, read from the source: who may import whom, how long things may be, what every module says first."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"workbench": 0, "audits": 1, "apps": 2, "app": 3, "benchmarks": 3}  # imports go downwards only
LOADING = ("workbench/loading/", "workbench/training/", "workbench/generation/")
CUDA = (*LOADING, "workbench/scheduler", "benchmarks/")
NETWORK = ("workbench/loading/", "apps/serving/")  # serving listens and never calls out; a socket hook tests that
SHELLS = ("apps/shell/", "audits/shell/", "workbench/cli/")  # the commands, and what they share
ONLY_IN = {  # library -> the rooms that may import it
    "gradio": ("apps/", "app.py"),
    "transformers": (*LOADING, "benchmarks/"),
    "open_clip": (*LOADING, "benchmarks/"),
    "timm": LOADING,
    "diffusers": LOADING,
    "huggingface_hub": LOADING,
    "typer": ("app.py", *SHELLS, "benchmarks/"),
    "rich": ("app.py", *SHELLS, "audits/", "benchmarks/"),
    "spaces": ("apps/zerogpu.py",),
    **dict.fromkeys(("socket", "requests", "httpx", "urllib.request", "http.client"), (*NETWORK, "benchmarks/")),
}
PRINTERS = ("app.py", *SHELLS, "benchmarks/")
LINES, FUNCTION, BUILD, PARAMETERS = 400, 60, 80, 6
VAGUE = ("utils", "helpers", "common", "manager")
VAGUE_NAMES = ("found", "told", "asked", "said", "wish", "shelf", "dice", "climb")  # of variables and the like


def sources() -> list[str]:
    kept = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")] + [ROOT / "app.py"]
    return sorted(path.relative_to(ROOT).as_posix() for path in kept)


def faults(name: str, source: str) -> list[str]:
    tree = ast.parse(source)
    return [f"{name}: {text}" for rule in (_shape, _imports, _functions) for text in rule(name, tree, source)]


def _shape(name: str, tree: ast.Module, source: str) -> Iterator[str]:
    if not (ast.get_docstring(tree) or "").split("\n")[0].rstrip().endswith((".", "?", ",", ":")) and source.strip():
        yield "no docstring that begins with a sentence"
    if source.count("\n") > LINES:
        yield f"{source.count(chr(10))} lines"
    if Path(name).stem in VAGUE:
        yield "a name that says nothing"
    yield from (f"{one} says nothing" for one in sorted(_names(tree)) if one.strip("_").lower() in VAGUE_NAMES)


def _names(tree: ast.Module) -> set[str]:
    """Return what is defined: variables, parameters, functions and classes."""
    variables = {x.id for x in ast.walk(tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    parameters = {x.arg for x in ast.walk(tree) if isinstance(x, ast.arg)}
    return variables | parameters | {x.name for x in ast.walk(tree) if isinstance(x, ast.FunctionDef | ast.ClassDef)}


def _imports(name: str, tree: ast.Module, source: str) -> Iterator[str]:
    here = name.split("/")[0].removesuffix(".py")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            modules = []
        for module in modules:
            top = module.split(".")[0]
            if top in ROOMS and ROOMS[top] > ROOMS[here]:
                yield f"imports upwards: {module}"
            if module.startswith("workbench.cli") and name.startswith("workbench/") and not name.startswith(SHELLS):
                yield "imports the commands' room"
            for library, rooms in ONLY_IN.items():
                if (module + ".").startswith(library + ".") and not name.startswith(rooms):
                    yield f"imports {library}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.cuda" and not name.startswith(CUDA):
            yield "knows torch.cuda"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print" and not name.startswith(PRINTERS):
            yield "prints"
        if isinstance(node, ast.ExceptHandler) and _swallows(node, source):
            yield f"swallows every exception in line {node.lineno}"


def _swallows(node: ast.ExceptHandler, source: str) -> bool:
    """Say whether a handler takes every exception and is no marked boundary between jobs or requests."""
    every = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
    marked = "# boundary:" in source.splitlines()[node.lineno - 1]
    return every and not marked and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))


def _functions(name: str, tree: ast.Module, source: str) -> Iterator[str]:
    outer = [*tree.body, *(inner for x in tree.body if isinstance(x, ast.ClassDef) for inner in x.body)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or 0) - node.lineno + 1
        if length > (BUILD if node.name == "build" else FUNCTION):
            yield f"{node.name} has {length} lines"
        every = [
            x for x in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if x.arg not in ("self", "cls")
        ]
        # a function within a function is no interface (gradio calls those by position); commands and endpoints name all
        free = node not in outer or (
            name.startswith(("apps/shell/", "apps/api/", "audits/shell/", "benchmarks/__main__"))
            and node.name[0] != "_"
        )
        if not free and len(every) > PARAMETERS:
            yield f"{node.name} takes {len(every)} parameters"


@pytest.mark.parametrize("name", sources())
def test_the_house_rules_hold(name: str) -> None:
    assert faults(name, (ROOT / name).read_text(encoding="utf-8")) == []


def test_test_files_have_names_of_their_own() -> None:
    """Pytest imports a file by its name alone, so two of one name cannot be collected together."""
    files = [path for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").exists()]
    names = [path.name for path in files if path.name != "conftest.py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


SENTENCE = '"""A sentence."""\n'


@pytest.mark.parametrize(
    ("name", "planted", "result"),
    [
        ("workbench/prompts.py", SENTENCE + "import gradio as gr\n", "imports gradio"),
        ("workbench/prompts.py", SENTENCE + "def f():\n    from apps.shell import run\n", "imports upwards"),
        ("audits/skew.py", SENTENCE + "import apps\n", "imports upwards"),
        ("workbench/prompts.py", SENTENCE + "from workbench.cli import output\n", "imports the commands' room"),
        ("apps/classify/x.py", SENTENCE + "from transformers import AutoModel\n", "imports transformers"),
        ("workbench/prompts.py", SENTENCE + "import urllib.request\n", "imports urllib.request"),
        ("workbench/prompts.py", SENTENCE + "x = torch.cuda.is_available()\n", "torch.cuda"),
        ("apps/tab.py", SENTENCE + "print(1)\n", "prints"),
        ("workbench/prompts.py", "x = 1\n", "docstring"),
        ("workbench/utils.py", SENTENCE, "says nothing"),
        ("workbench/prompts.py", SENTENCE + "def f(told):\n    _found = told\n", "_found says nothing"),
        ("workbench/prompts.py", SENTENCE + "def f(told): ...\n", "told says nothing"),
        ("workbench/prompts.py", SENTENCE + "x = 1\n" * 400, "401 lines"),
        ("workbench/prompts.py", SENTENCE + "def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
        ("apps/tab.py", SENTENCE + "def build(engine):\n" + "    x = 1\n" * 80, "build has 81 lines"),
        ("workbench/prompts.py", SENTENCE + "def f(a, *, b, c, d, e, f, g): ...\n", "7 parameters"),
        ("workbench/prompts.py", SENTENCE + "try:\n    x = 1\nexcept Exception:\n    pass\n", "swallows"),
    ],
)
def test_a_planted_fault_is_found(name: str, planted: str, result: str) -> None:
    assert result in " ".join(faults(name, planted))


def import_cycles(texts: dict[str, str]) -> list[list[str]]:
    """Return the sets of modules that import each other, at module level or in a function, types included.

    Args:
        texts: source by dotted module name; packages by their own name.
    """
    graph = {name: _project_imports(name, text, texts) - {name} for name, text in texts.items()}
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += graph[name]
        reach[start] = seen
    circles = {frozenset({a, *(b for b in reach[a] if a in reach[b])}) for a in graph if a in reach[a]}
    return sorted(map(sorted, circles))


def _project_imports(name: str, text: str, texts: dict[str, str]) -> set[str]:
    result = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            result |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            result |= {one if one in texts else str(node.module) for one in inner}
    return result & texts.keys()


def test_no_module_imports_itself_through_others() -> None:
    names = {path: path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in sources()}
    texts = {name: (ROOT / path).read_text(encoding="utf-8") for path, name in names.items()}
    assert import_cycles(texts) == []


def test_planted_import_cycles_are_found() -> None:
    texts = {
        "a": "import b.c",
        "b": "",
        "b.c": "def f():\n    from d import x",
        "d": "if TYPE_CHECKING:\n    import a",
        "e": "import a",
    }
    assert import_cycles(texts) == [["a", "b.c", "d"]]
    assert import_cycles(texts | {"d": ""}) == []


def test_the_library_is_imported_quickly_and_without_torch() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import workbench; "
        "print(time.perf_counter() - t, 'torch' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in "123"
    ]
    seconds, torch_loaded = min((run.stdout.split() for run in runs), key=lambda output: float(output[0]))
    assert float(seconds) < 0.3
    assert torch_loaded == "False"
