"""Does a model name an image and its mirror image alike? The rows of an audit and of a view."""

from apps.tabs import Tab
from audits.contracts import Audit

AUDIT = Audit(
    key="mirror/answers",
    title="Mirror images",
    question="Does a model name an image and its mirror image alike?",
    protocols=("plain",),
    builtin="drawn-things",
    module="clip_workbench_mirror.audit",
    needs=("label",),
    tags=("robustness",),
)
VIEW = Tab("mirror", "Mirror", "Look inside", "clip_workbench_mirror.view", receives=True)
