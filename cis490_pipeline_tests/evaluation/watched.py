"""Hand-made episodes under watch: phases, scores and courses, and a slow look at them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from cis490_pipeline.edge.alarm import AlarmPolicy, AlarmRule
from cis490_pipeline.evaluation.courses import Basis, EpisodeCourse
from cis490_pipeline.evaluation.predictions import PredictedEpisode, Predictions

CLEAN, ARMED, INFECTING, RUNNING, DORMANT = range(5)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One episode: the phase and the score of each window from 0 on; None is no window."""

    phases: tuple[int, ...]
    scores: tuple[float, ...]
    onset_s: float | None = None
    end_s: float | None = None
    control: bool = False
    host_id: str = "lab-b"

    @property
    def course(self) -> EpisodeCourse:
        end_s = 5.0 * len(self.phases) + 5.0 if self.end_s is None else self.end_s
        return EpisodeCourse(control=self.control, onset_s=self.onset_s, end_s=end_s)


def rule(threshold: float | None = 0.5, *, k: int = 2, n: int = 3) -> AlarmRule:
    return AlarmRule(
        policy=AlarmPolicy(k=k, n=n),
        threshold=threshold,
        reason="" if threshold is not None else "nothing to choose it on",
        n_episodes=20,
        n_false=1,
        clean_s=600.0,
    )


def saying(scores: list[float]) -> np.ndarray:
    """Return probabilities with these scores."""
    score_N = np.asarray(scores, dtype=np.float64)
    rest = np.repeat(score_N[:, None] / 4, 4, axis=1)
    return np.concatenate([1.0 - score_N[:, None], rest], axis=1)


def predictions(*episodes: Watched) -> Predictions:
    lengths = [len(one.phases) for one in episodes]
    return Predictions(
        bundle="b" * 64,
        episodes=tuple(
            PredictedEpisode(
                episode_id=f"e{i:04d}", host_id=one.host_id, profile="io-walk", sample_name="s"
            )
            for i, one in enumerate(episodes)
        ),
        cluster_N=np.repeat(np.arange(len(episodes)), lengths),
        window_N=np.concatenate([np.arange(length) for length in lengths]),
        y_true_N=np.concatenate([np.array(one.phases, dtype=np.int64) for one in episodes]),
        proba_NK=saying([score for one in episodes for score in one.scores]),
        n_unlabelled=0,
    )


def courses(*episodes: Watched) -> tuple[EpisodeCourse, ...]:
    return tuple(one.course for one in episodes)


def basis(*episodes: Watched, alarm: AlarmRule | None = None) -> Basis:
    found = predictions(*episodes)
    names = [found.episodes[c].episode_id for c in found.cluster_N]
    return Basis(
        alarm=alarm or rule(),
        courses={f"e{i:04d}": one.course for i, one in enumerate(episodes)},
        purity=pa.table(
            {
                "episode_id": names,
                "window": found.window_N,
                "label_purity": pa.array(np.ones(found.window_N.size), pa.float32()),
            }
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Slowly:
    """What a patient reader of one episode writes down; times at the ends of windows."""

    raised_s: tuple[float, ...]
    false: int
    armed: int
    could_clean: int
    could_armed: int
    detected_s: float | None
    falsely_ringing: bool


def read_slowly(one: Watched, *, threshold: float = 0.5, k: int = 2, n: int = 3) -> Slowly:
    """Go through an episode window by window, with nothing but counting."""
    onset = np.inf if one.onset_s is None else one.onset_s
    raised, counts, detected, falsely = [], {"false": 0, "armed": 0, CLEAN: 0, ARMED: 0}, None, None
    ringing, kind = False, ""
    for window, phase in enumerate(one.phases):
        now = 5.0 * window + 10.0
        recent = one.scores[max(0, window - n + 1) : window + 1]
        rings = sum(score > threshold for score in recent) >= k
        watched = now <= one.course.end_s
        if rings and not ringing:
            raised.append(now)
            kind = "after" if now >= onset else ("armed" if phase == ARMED else "false")
            counts["false"] += watched and kind == "false" and phase == CLEAN
            counts["armed"] += watched and kind == "armed"
        ringing = rings
        if now < onset and watched and len(recent) >= k and phase in (CLEAN, ARMED):
            counts[phase] += 1
        if now >= onset and watched:
            if falsely is None:
                falsely = rings and kind == "false"
            if detected is None and rings and kind != "false":
                detected = now
    return Slowly(
        raised_s=tuple(raised),
        false=counts["false"],
        armed=counts["armed"],
        could_clean=counts[CLEAN],
        could_armed=counts[ARMED],
        detected_s=detected,
        falsely_ringing=bool(falsely),
    )


@st.composite
def episodes(draw: st.DrawFn) -> Watched:
    """Draw an episode whose labels agree with its onset, now and then a control or cut short."""
    before = draw(st.integers(1, 8)), draw(st.integers(0, 4))
    after = draw(st.integers(0, 10))
    phases = [CLEAN] * before[0] + [ARMED] * before[1]
    phases += draw(
        st.lists(st.sampled_from([INFECTING, RUNNING, DORMANT]), min_size=after, max_size=after)
    )
    levels = st.sampled_from([0.1, 0.5, 0.9])
    scores = draw(st.lists(levels, min_size=len(phases), max_size=len(phases)))
    onset = 5.0 * sum(before) + draw(st.floats(0.1, 4.9)) if after else None
    whole = 5.0 * len(phases) + 5.0
    end = draw(st.sampled_from([None, whole - 7.0])) if after < 1 or after > 3 else None
    return Watched(phases=tuple(phases), scores=tuple(scores), onset_s=onset, end_s=end)
