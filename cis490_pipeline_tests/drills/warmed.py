"""Loaded once by the process that victims are forked from: compiled code, before any fork.

The forking process can be told to import a module and nothing else, hence work at import.
"""

from cis490_pipeline.ingest.warm_up import warm_up
from cis490_pipeline_tests.drills import victims

__all__ = ["victims"]

warm_up()
