"""The yardstick of the statistics bench: gbstats' two-sided t-test on the sums that come in, timed by the processor's clock.

stdin: {"arms": [[n, sum, sum_squares], ...]}; stdout: {"seconds": s, "tests": [[estimate, p, lower, upper], ...]}.
"""
import json
import sys
import time

from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
from gbstats.models.statistics import SampleMeanStatistic

arms = [SampleMeanStatistic(n=n, sum=total, sum_squares=squares) for n, total, squares in json.load(sys.stdin)["arms"]]
config = FrequentistConfig(difference_type="absolute", alpha=0.05)
pairs = list(zip(arms, arms[1:]))


def tested(control, treatment):
    result = TwoSidedTTest(control, treatment, config).compute_result()
    return [result.expected, result.p_value, *result.ci]


tested(*pairs[0])
began = time.process_time()
answers = [tested(*pair) for pair in pairs]
print(json.dumps({"seconds": time.process_time() - began, "tests": answers}))
