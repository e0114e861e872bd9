"""Training: recipe and digits in, weights and history out."""
