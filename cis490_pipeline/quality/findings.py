"""What a check says: findings, and the figures that it looked at either way.

Not here: any rule, and where findings go (``orchestration``, ``reporting``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is worth a look.

    Attributes
    ----------
    symptom
        Its kind in a word, e.g. ``clock-skew``; stable, tools filter by it.
    subject
        What of the host it is about: a status, a source, a channel, a commit.
    detail, suggested_fix
        One sentence each.
    """

    symptom: str
    subject: str
    detail: str
    suggested_fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What one check found for one host.

    Attributes
    ----------
    findings
        Empty on healthy data, and where there is too little of it to say anything.
    looked_at
        What was examined, in a few words: ``the newest 50 of 90 episodes``.
    head, rows
        The figures behind the verdict, as a table of text.
    """

    findings: tuple[Finding, ...]
    looked_at: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
