"""Learn my hand: a trained network goes on with a few pictures of one's own.

==========  =================================================================
`start`     the network that it begins with
`own`       the pictures: read, framed, some held back to measure with
`kept`      the digits that are not to be forgotten
`course`    training, and the run folder that it leaves
`changes`   what changed, in numbers and in words
==========  =================================================================
"""
