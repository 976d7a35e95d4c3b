"""Two runs side by side, and a run against thresholds: what changed, and whether it may be released."""

from audits.comparing.comparison import compare as compare
from audits.comparing.judging import gate as gate
from audits.comparing.outcomes import Comparison as Comparison
from audits.comparing.outcomes import GateResult as GateResult
from audits.comparing.outcomes import NotComparable as NotComparable
from audits.comparing.thresholds import read as read_thresholds

__all__ = ["Comparison", "GateResult", "NotComparable", "compare", "gate", "read_thresholds"]
