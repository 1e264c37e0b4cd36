"""A reliability diagram: how many answers are right, over how sure they are."""

from matplotlib.figure import Figure

from rnn_jax.reporting.assessment import Assessment
from rnn_jax.reporting.picture import COLOURS, tidy


def draw_reliability(assessment: Assessment) -> Figure:
    """Above, the share of right answers over their probability; below, how many answers there are."""
    bins = assessment.bins
    figure = Figure(figsize=(4.6, 5.2), layout="constrained")
    shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    shares.plot((0, 1), (0, 1), color="0.6", linestyle="--", label="as sure as right")
    x = [each.confidence for each in bins]
    shares.plot(x, [each.accuracy for each in bins], color=COLOURS[0], marker="o", label="answers")
    shares.set(ylabel="share that is right", ylim=(0, 1.03))
    shares.legend(frameon=False)
    counts.bar(x, [each.size for each in bins], width=0.03, color=COLOURS[0])
    counts.set(xlabel="probability of the answer", ylabel="answers", xlim=(0, 1.03))
    tidy(shares)
    tidy(counts)
    return figure
