"""What Dagster makes by itself when its inputs change: cheap assets, and never a model.

Sets are not among them: a new ``training_set`` makes every model of its split old, so planning and
fitting belong together and to people (``full_split``). Test sets that grew are the ``nightly``
sensor's, which knows whether the models still stand.

Not here: sensors that follow the store (``sensors``).
"""

from typing import Final

import dagster as dg

_NEWS: Final = dg.AutomationCondition.any_deps_match(
    dg.AutomationCondition.data_version_changed()
).with_label("an input has another content")

# Not `eager()`: one registered host without data would hold it back for ever, and an ingest that
# found nothing new would set it off.
WHEN_INPUTS_CHANGE: Final = (
    _NEWS.since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("when an input's content changes")

AUTOMATION: Final = dg.AutomationConditionSensorDefinition(
    name="automation",
    target=dg.AssetSelection.all(),
    description="Makes assets with an automation condition when their inputs change: the data "
    "card, and shadow scores of what has arrived. No model, trunk or set has one.",
    minimum_interval_seconds=60,
)
