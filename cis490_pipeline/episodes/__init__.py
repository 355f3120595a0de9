"""Reading the receiver's store: index lines and tarballs into frozen values.

In: bytes. Out: ``IndexEntry`` or ``Damage``, ``Episode`` or ``OpenFailure``. Not here: judging an
episode (``validation``), arithmetic on its rows (``telemetry``).
"""
