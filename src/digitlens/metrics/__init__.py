"""Counting how good answers are: misses in whole numbers, and what chance leaves open.

==================  ==========================================================
`classification`    misses, the confusion matrix, the figures of each digit
`intervals`         Wilson, Clopper and Pearson, McNemar
`calibration`       whether 90 % sure means right nine times in ten
`risk_coverage`     how much can be answered at a wanted error rate
`evaluation`        `evaluate`: one model reads one set of digits
`comparison`        `compare`: several models on the same digits
`history`           the epochs of a training run, as CSV and as signals
`history_sources`   a history from Keras, a CSV file, a DataFrame
`diagnosis`         `diagnose`: whether a run overfits, in words
`robustness`        corruptions (shifted, blurred, noisy ...), and a model put through all
`label_check`       labels that are likely wrong, pictures that are turned or there twice
`formatting`        how a share, a count or a p-value is printed
==================  ==========================================================
"""
