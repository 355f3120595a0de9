"""What a fitted model looks at: attributions, and whether they mean anything.

In: a bundle, and windows of id_val. Out: an ``Explanation``: mean attribution per channel and
phase, how well the rankings of the channels agree between hosts, and with those of a model that has
learned nothing. Test windows are opened for the agreement between hosts alone, and the ledger says
so. Not here: drawing (``reporting``), scores (``evaluation``), any influence on a fit.
"""
