"""Intervals, tests and families of tests for shares, differences, gaps, paired runs, rankings and calibration.

    intervals     one number and its interval: shares (the project's one policy), means, AUROC, anything by bootstrap
    differences   two independent shares
    clusters      several images of one person count for less
    gaps          largest minus smallest share of groups, test and interval from one statistic
    omnibus       one test of all groups alike
    paired        the same images seen twice
    draws         a mean over drawings of the shots and over images, both counted
    ranking       who stands at the top of a search
    association   WEAT on embeddings
    calibration   expected calibration error, reliability, fitted temperature
    multiplicity  many tests at once: adjusted p-values, simultaneous intervals
    power         the smallest difference that a slice could have shown
    p_values      p-values of resampling, and how any is written
    simpson       a gap that changes its direction within strata
    measures      the long table that every audit ends in; row: one line of it

Does not know about models, images or files. Tests and intervals are statsmodels', SciPy's and scikit-learn's where they
have them.
"""
