"""From a training or test set and the warehouse to arrays that a model takes.

In: set files, tables, shards. Out: ``Cases``. The channel mask of a mode is applied here, so that
no model can read a channel that it must not see. Not here: choosing episodes (``splits``), fitting
(``training``).
"""
