"""The architectures: one file a network, its recipe beside it."""
