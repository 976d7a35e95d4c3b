"""Speed beside named peers, on one machine in one run: the same weights, the same pictures, the same threads.

`python -m benchmarks` measures; every claim about speed comes from here.
"""
