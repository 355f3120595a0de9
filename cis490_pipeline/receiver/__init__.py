"""Episodes over the network: received into a store, shipped to a receiver, mirrored from one.

In: HTTP requests, files, another receiver. Out: a store as the episode format describes it. Not
here: judging what arrives (``validation``), reading it (``episodes``), watching it. ``app`` and
``server`` need the extra ``live``; ``shipping`` and ``pulling`` the base install alone.

On disk, beside ``index.jsonl`` and ``episodes/``, one directory belongs to this package:
``receiver/`` with ``incoming/`` (half-received), ``conflicts/`` (bytes that came under a taken id),
``tokens.json``, ``lock`` and, in a mirror, ``pull.json``. ``keeper`` says what a crash leaves.
"""
