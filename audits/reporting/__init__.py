"""Reports: what runs measured, as a page, a print, tables and files for other programs."""

from audits.reporting._charts import svg as svg
from audits.reporting._gates import COLUMNS as GATE_COLUMNS
from audits.reporting._gates import gate_rows as gate_rows
from audits.reporting._gates import not_judged as not_judged
from audits.reporting.writing import write as write
from audits.reporting.writing import write_comparison as write_comparison
from audits.reporting.writing import write_gate as write_gate

__all__ = ["GATE_COLUMNS", "gate_rows", "not_judged", "svg", "write", "write_comparison", "write_gate"]
