"""Constructions that open a door are not in the tree (row S9); each rule is shown to find what it looks for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("app.py", "apps", "audits", "benchmarks", "scripts", "workbench")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def is_true(value: ast.expr | None) -> bool:
    return value is not None and not (isinstance(value, ast.Constant) and not value.value)


def html_of_text(tree: ast.AST, file: str) -> bool:
    """`gr.HTML` of anything but a constant."""
    for name, call in calls(tree):
        if name in ("gr.HTML", "gradio.HTML", "HTML"):
            given = [*call.args, *(word.value for word in call.keywords if word.arg in ("value", "html_template"))]
            if any(not isinstance(value, ast.Constant) for value in given):
                return True
    return False


def html_table(tree: ast.AST, file: str) -> bool:
    """A table whose cells are HTML."""
    for _, call in calls(tree):
        datatype = keyword(call, "datatype")
        if datatype is not None and "html" in ast.unparse(datatype):
            return True
    return False


def unpickles(tree: ast.AST, file: str) -> bool:
    """Formats that run code when they are read."""
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    if imported & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}:
        return True
    for name, call in calls(tree):
        restricted = name == "torch.load" and is_true(keyword(call, "weights_only"))
        if restricted and file == "workbench/loading/packaged.py":
            continue  # these towers come in a package, in torch's format alone; tensors, no code
        if name in ("torch.load", "pd.read_pickle", "pandas.read_pickle", "torch.jit.load", "torch.hub.load"):
            return True
        if name in ("np.load", "numpy.load") and is_true(keyword(call, "allow_pickle")):
            return True
        if name == "yaml.load":
            return True
    return False


def remote_code(tree: ast.AST, file: str) -> bool:
    """Code that comes with a checkpoint."""
    return any(is_true(keyword(call, "trust_remote_code")) for _, call in calls(tree))


def evaluates(tree: ast.AST, file: str) -> bool:
    """Text that becomes code."""
    return any(name in ("eval", "exec", "compile", "builtins.eval", "builtins.exec") for name, _ in calls(tree))


def shells(tree: ast.AST, file: str) -> bool:
    """Text that becomes a command."""
    shell = any(is_true(keyword(call, "shell")) for name, call in calls(tree))
    return shell or any(name in ("os.system", "os.popen", "subprocess.getoutput") for name, _ in calls(tree))


def opens_gradio(tree: ast.AST, file: str) -> bool:
    """Settings of gradio that let others in, or that run something before our own checks."""
    for name, call in calls(tree):
        paths = keyword(call, "allowed_paths")
        if paths is not None and not (isinstance(paths, ast.List) and not paths.elts):
            return True
        if any(
            is_true(keyword(call, word)) for word in ("share", "mcp_server", "ssr_mode", "run_history", "show_error")
        ):
            return True
        if name in ("gr.load", "gr.FileExplorer", "gr.DeepLinkButton", "gr.LoginButton", "gr.set_static_paths"):
            return True
        if name == "gr.Image" and isinstance(kind := keyword(call, "type"), ast.Constant) and kind.value != "filepath":
            return True  # gradio would decode the picture before `safe_open` sees it
        if file.startswith("apps/") and is_true(keyword(call, "batch")):
            return True  # one bad item would fail the jobs of others
    return False


def decodes(tree: ast.AST, file: str) -> bool:
    """A picture decoded elsewhere than in the one careful place, or frame by frame anywhere."""
    names = [name for name, _ in calls(tree)]
    if any(name.endswith((".seek_frame", "ImageSequence.Iterator", "ImageSequence.all_frames")) for name in names):
        return True
    if file == "workbench/images.py" or file.startswith("benchmarks/"):  # those read pictures of their own making
        return False
    return any(name in ("Image.open", "PIL.Image.open") for name in names)


RULES: dict[Callable[[ast.AST, str], bool], str] = {
    html_of_text: "gr.HTML(f'<b>{label}</b>')",
    html_table: "gr.Dataframe(datatype=['str', 'html'])",
    unpickles: "torch.load('a.pt')",
    remote_code: "AutoModel.from_pretrained(p, trust_remote_code=True)",
    evaluates: "eval('1')",
    shells: "subprocess.run('ls', shell=True)",
    opens_gradio: "demo.launch(share=True)",
    decodes: "Image.open(path)",
}
MORE = {
    unpickles: ["import pickle", "from pickle import loads", "np.load(f, allow_pickle=True)"],
    opens_gradio: ["demo.launch(allowed_paths=['/'])", "gr.Image(type='pil')", "b.click(f, batch=True)"],
    html_of_text: ["gr.HTML(value=text)"],
}
FINE = [
    "gr.HTML('<hr>')",
    "demo.launch(share=False, allowed_paths=[])",
    "model.eval()",
    "np.load(f)",
    "gr.Image(type='filepath')",
    "from_pretrained(p, trust_remote_code=False)",
    "re.compile('a')",
]


def sources() -> list[Path]:
    result = [ROOT / place for place in PLACES]
    return [file for place in result for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_s9_the_tree_holds_none(rule: Callable[[ast.AST, str], bool]) -> None:
    files = {file.relative_to(ROOT).as_posix(): file for file in sources()}
    assert len(files) > 20
    guilty = [name for name, file in files.items() if rule(ast.parse(file.read_text(encoding="utf-8")), name)]
    assert not guilty, f"{rule.__doc__} {guilty}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_s9_each_rule_finds_what_it_is_for(rule: Callable[[ast.AST, str], bool]) -> None:
    for code in (RULES[rule], *MORE.get(rule, [])):
        assert rule(ast.parse(code), "apps/x.py"), code
    for code in FINE:
        assert not rule(ast.parse(code), "apps/x.py"), code
