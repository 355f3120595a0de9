"""The slow reference: a second, independent way from a tarball to windows.

It is the project's straightforward path (``tarfile``, ``json.loads`` per line, numpy
nan-functions per window), with its own channel table and nothing imported from the package, so
that a mistake in the package cannot hide in it. Only ``adapter`` knows both sides. Where the
reference and the episode format differ, the format holds.

In: tarball bytes, or rows as parsed JSON. Out: grid, statistics, labels, purity. Not here: the
acceptance gate, speed.
"""
