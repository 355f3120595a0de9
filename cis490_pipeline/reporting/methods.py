"""How the figures of each section were computed, in words: page, then title of the section.

A section without a text here says it all in its own first paragraph. A test holds every title to a
section that exists.

Not here: the definitions themselves (``metrics``, ``evaluation``).
"""

from typing import Final

_EPISODES: Final = (
    "The unit is the episode: its windows overlap and are not independent, so episodes are drawn "
    "with replacement and all windows of an episode come along."
)
_REPORT: Final[dict[str, str]] = {
    "Models": f"{_EPISODES} Percentile intervals, expanded as Student's t is beside the normal "
    "distribution; BCa with a jackknife that leaves out one episode at a time beside them. A draw "
    "that loses a phase is drawn again. The design effect is "
    "the variance over episodes divided by the variance that independent windows would have. "
    "Hyper-parameters, the simple yardstick and the recommended model are chosen on id_val: "
    "episodes of the training hosts that no model was fitted on. A deep model is recommended only "
    "if the paired interval of its gain over the simple one on id_val lies above 0 and its "
    "permutation p is small enough; of a model whose hyper-parameters were searched there, the p "
    "is multiplied by how many combinations were tried. Realistic models come before oracle ones, "
    "whose channels no deployed detector has. Brier: squared distance of the probabilities to the "
    "truth, summed over the phases (0 to 2). ECE: 15 equal bins of the predicted phase's "
    "probability. Log-loss in nats.",
    "Macro F1 on the test set": f"{_EPISODES} Macro F1 is the mean over the phases with windows "
    "in the test set; one without is untested and in no mean. A configuration with several seeds "
    "has one line: its bar is the interval of the mean over seeds, with episodes and seeds "
    "resampled together, and every seed is a small circle.",
    "Paired differences": "Families of tests are declared before any number is seen: every model "
    "against elapsed_time; every deep model against the simple model that id_val chose for its "
    "mode; the other simple models against it. A model is a configuration with all of its seeds: "
    "the difference is of the means over seeds. The interval draws the same episodes for both; the "
    "p-values swap the two models' predictions of whole episodes, in all seeds at once. Holm's "
    "correction runs within each family. Better or worse needs both the corrected p and the "
    "interval (with six or more hosts, both intervals).",
    "Intervals": f"{_EPISODES} With six or more test hosts a second interval draws hosts first "
    "and speaks about other hosts too.",
    "Phases": f"{_EPISODES} Precision and recall are in the models' JSON cards.",
    "Confusion": "Every labelled window of the test set counts once, as the phase with the "
    "highest probability after the phase filter. Of a configuration with several seeds the lowest "
    "seed is shown: that choice looks at no score.",
    "Profiles": f"{_EPISODES} Here only the episodes of the profile, all hosts together.",
    "Hosts": f"{_EPISODES} Here only the episodes of the host, all profiles together.",
    "Hosts and profiles": f"{_EPISODES} Here only the episodes of one profile on one host: few, "
    "so mind the intervals. Macro F1 is over the phases that occur in the cell; accuracy is the "
    "share of windows that are right. Shown are what id_val chose, the yardsticks and the "
    "controls; all models are in their JSON cards.",
    "Data quality": "Verdicts of the validation gate for every indexed episode of the split's "
    "hosts: accepted and degraded ones train and test (as the split's statuses say), the others "
    "never do. An episode may have several reasons; the commonest three are named. The data card "
    "has the rest.",
    "What the models look at": "Networks: integrated gradients from the training median of every "
    "channel, along a path that is straight in normalised units; boosted trees: exact Shapley "
    "values (TreeSHAP); logistic regression: coefficient × standardised value. Other families have "
    "no attribution that is well defined. What is attributed is the logit of the window's own "
    "phase, relative to the mean logit of all phases, of the single window: before the phase "
    "filter and the calibration. A value that is missing stays missing and gets nothing. The "
    "columns of a channel are summed with their signs, then the absolute value is averaged over "
    "the windows: as many of every phase, spread over the hosts, drawn with a seed. Test windows "
    "are read for the agreement between hosts alone, and that reading is in the ledger. The "
    "control is a network with random weights, or trees fitted on permuted labels: where it ranks "
    "the channels like the model (a mean rank correlation of 0.7 or more), the map shows the data "
    "and not what was learned. Channels that neither side uses are left out of a rank correlation; "
    "fewer than 5 windows of a phase rank nothing.",
    "Detection": "Score: 1 - p(clean). A window's verdict exists at its end; the alarm is raised "
    "at the end of the k-th positive window within n. Positive are infecting, infected_running "
    "and dormant, negative is clean; armed is neither. Intervals over episodes.",
    "Time to detect": "Kaplan and Meier's estimate over infected episodes; one that was never "
    "detected is censored at its end, or where the label failed begins. Intervals over episodes. "
    "That estimate can reach 1 although most were missed, where those were not watched any longer: "
    "the drawn line counts all infected episodes instead, every 5 s (or coarser, in at most 60 "
    "points). Of a configuration with several seeds the lowest seed is drawn.",
    "Calibration": "Brier: squared distance of the probabilities to the truth, summed over the "
    "phases (0 to 2). ECE: 15 equal bins of the predicted phase's probability. Log-loss in nats. "
    "The temperature was fitted on id_val. Reliability: windows in 15 equal bins of that "
    "probability, drawn at their mean; intervals over the episodes of the bin.",
    "Risk over coverage": "Confidence is the probability of the predicted phase after calibration. "
    "A point is the threshold that answers so many windows of the whole test set, every window "
    "counting the same; its interval draws episodes and keeps the threshold. Conformal sets answer "
    "where they hold one phase alone; their error and share are means over episodes, so a diamond "
    "need not lie on the curve. No threshold and no alpha is chosen by this figure.",
    "Seeds": "Every seed is a training that could as well have come out otherwise: each resample "
    "draws episodes and seeds. No best seed is named.",
    "Readings of this test set": "Every scoring of the test set is entered before it happens, "
    "with who and why, and nothing is ever taken out.",
}
_DATA: Final[dict[str, str]] = {
    "Coverage": "Every indexed episode counts once, under its newest verdict. The effective "
    "number of samples is the exponential of the entropy of their names: two in equal parts count "
    "2, one of which occurs once in a hundred episodes counts 1.06.",
    "Channels": "Over all accepted and degraded episodes of the host. Constant: the channel has "
    "one value within each episode. Declared absences of a host are no finding.",
    "Phases": "Sums of the labelled intervals, cut at the end of the episode.",
    "Length": "The 10 Hz grid's length: from the first to the last label or sample.",
}
_INDEX: Final[dict[str, str]] = {
    "Over time": "A line is added when a report's figures change, and never for the same figures "
    "twice in a row. The band is the interval over the episodes that the test set had then: two "
    "points are not a paired comparison, since test set, training set and model may all have "
    "changed. Hashes of both sets are in the table.",
}
METHODS: Final[dict[str, dict[str, str]]] = {
    "report": _REPORT,
    "untested": {"What the models look at": _REPORT["What the models look at"]},
    "data": _DATA,
    "index": _INDEX,
}
"""Page, as its template names itself, to title to text."""
