"""Training a line reader on lines that are written as it goes.

===============  ===========================================================================
`batches`        written lines -> arrays to learn from, in an order that a seed decides
`writers`        processes that write them
`loss`           over whole strings, and over single frames
`loop`           the training loop: `LineTrainer`
`measure`        how many lines a network reads exactly
`progress`       points of the history, and who is told
`state`          all that going on needs, as one file
===============  ===========================================================================
"""
