"""What turns the disk into events: one feeder a source, each on its own.

A feeder is a step that is repeated: it reads in a thread, hands what it found to the reducer or the
hub in the event loop, and remembers where it was. What it needs and is not there yet is no fault:
it says so once and looks again. Not here: what producers publish (``app``).
"""
