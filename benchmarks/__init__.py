"""Speed beside named peers, on one machine in one run: the same weights, the same pictures, the same threads.

Knows the peers' libraries and nothing of screens. `python -m benchmarks` measures; a claim about speed comes from here.
"""
