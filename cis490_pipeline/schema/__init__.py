"""Words and shapes that everything shares: phases, channels, windows, tables, fingerprint.

In: nothing. Out: constants and frozen dataclasses. Not here: any I/O, any arithmetic on data.
"""
