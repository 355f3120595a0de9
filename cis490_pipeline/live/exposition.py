"""Counters in the text format that Prometheus reads.

Not here: counting (``hub``, ``feeders``).
References: Prometheus exposition format 0.0.4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX: Final = "cis490_live_"


class Kind(StrEnum):
    """What a metric does."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: a value for each value of its one label, or a single value under ``""``."""

    name: str
    kind: Kind
    text: str
    values: Mapping[str, float]
    label: str = ""


def exposed(metrics: Iterable[Metric]) -> str:
    r"""Return the metrics as text.

    >>> one = Metric(name="gaps_total", kind=Kind.COUNTER, text="Gaps.", values={"a\"b": 2},
    ...              label="reason")
    >>> exposed([one]).splitlines()[-1]
    'cis490_live_gaps_total{reason="a\\"b"} 2'
    """
    lines: list[str] = []
    for one in metrics:
        name = _PREFIX + one.name
        lines += [f"# HELP {name} {one.text}", f"# TYPE {name} {one.kind.value}"]
        for label, value in sorted(one.values.items()):
            tagged = f'{{{one.label}="{_escaped(label)}"}}' if one.label else ""
            lines.append(f"{name}{tagged} {value:.17g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
