"""``gru``: a bidirectional gated recurrent network on the raw grid (why so: ``recurrent``).

Source: Cho et al. 2014.
"""

from typing import Final

from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.models.recurrent import recurrent_family

GRU: Final[FamilySpec] = recurrent_family("gru")
"""The family."""
