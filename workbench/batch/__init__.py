"""Many uploaded images become a table of answers, and with true labels an evaluation.

run        classify, a few at a time; an image that fails fails alone
table      rows, filters, the k likeliest labels
export     CSV that is safe to open in a spreadsheet, exact JSON
truth      accuracy with its interval, per class, confusion
"""
