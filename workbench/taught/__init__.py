"""What a shipped model was taught: marks labels outside of it, and images unlike those that it has seen.

`python -m workbench.taught` makes the data files beside the weights; `python -m workbench.taught.measuring` measures.
"""
