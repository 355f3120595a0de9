"""Torch modules that network families are built from.

In: raw ``x_BCT`` (NaN = missing). Out: logits ``[B, K]``. Not here: hyper-parameters and specs (the
family files, which import this package only when called), the training loop (``training.loop``).
"""
