"""From rows to a grid: native rates, the 10 Hz grid, and the phase of each window.

Comes in: an opened ``Episode`` (raw values in file order). Goes out: ``Grid`` (float32, NaN =
missing), ``WindowLabels`` and the phase transitions.

Does not belong here: reading tarballs (``episodes``), the gate (``validation``), statistics of
windows and how they are stored (``features``).
"""
