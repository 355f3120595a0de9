"""The command line: one file a command group, loaded only when its command is called.

In: words. Out: sentences, exit status, with ``--json`` one JSON object as the last line. Not here:
the work, which every command hands to one library call.
"""
