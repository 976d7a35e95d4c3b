"""How sure one may be of an audit's numbers: intervals, gaps beside chance, paired runs, ranks, families of tests.

    intervals     one number: shares, differences, means, AUROC, anything else by bootstrap
    clusters      several pictures of one person count for less
    gaps          max - min between groups, beside what chance alone gives
    omnibus       one test of all groups alike
    paired        the same pictures seen by two runs
    ranking       who stands at the top of a search
    association   WEAT on embeddings
    calibration   is 90 % sure right 90 % of the time
    multiplicity  many tests at once            power     what a slice could have shown
    simpson       a gap that turns round within strata
    measures      the one long table that all of them end in; row: one line of it

Knows counts and arrays only: no model, no picture, no file. Tests and intervals are statsmodels' and SciPy's where they
have them.
"""
