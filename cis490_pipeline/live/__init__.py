"""What is happening, on a screen: events from disk and from producers, fanned out to browsers.

In: the store's index and alerts, the warehouse's tables and evaluation records, events that
producers publish. Out: one stream of events over HTTP, the totals, the episode explorer, a page.
Not here: judging, training, scoring; whatever is shown was decided elsewhere. ``publisher`` needs
the base install alone, ``events`` too; what serves needs the extra ``live``, and the feeders that
read tables ``train``.

``EVENTS.md`` is the contract with whoever publishes or listens; it is generated from ``events`` and
``wire``.
"""
