"""Train: fit a challenger, compare it with the champion, and keep the register of model versions."""
