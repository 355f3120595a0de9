"""Shadow mode: the model of split ``deploy`` watches what arrives, and nobody acts on it.

Its verdicts on episodes that it was not fitted on are kept, one row each, and added up for each
host: alarms by the hour, and how far the telemetry has drifted. That is no test set and no claim:
the hosts trained the model, and which episodes arrive is nobody's design.

Not here: the Dagster asset (``orchestration``), the page (``live``).
"""
