"""Attack a server of one's own and print what other visitors notice: `python -m tests.attack`.

Speaks to loopback addresses only, each attacker and each visitor with an address of its own (127.0.0.x), and is
bounded in requests and time. The full form takes less than five minutes, `--short` less than one.
"""
