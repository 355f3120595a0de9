"""From labelled episodes of infected virtual machines to honestly evaluated phase detectors.

The data has one way through the house: store → episodes → validation → telemetry → features →
splits → models → training → evaluation → reporting. Dagster is a thin roof (``orchestration``).
"""
