"""Many pictures at once: a bundle of files or a zip becomes a table of answers, and with true labels an evaluation.

    sources    open files or a zip without trusting it
    run        classify, a few at a time; what fails fails alone
    table      rows, filters, the k likeliest labels
    export     CSV that no spreadsheet runs, exact JSON
    truth      accuracy with its interval, per class, confusion

Knows no screen and no device.
"""
