"""Writes expected.json: what plan.json must give for data.csv, computed without Rampart. Python 3 standard library only: python3 reference.py

Sums, means, variances and covariances are exact fractions; only square roots and distributions are double precision.
Difference = new minus old. Welch's standard error and degrees of freedom. Covariate: adjusted = y − θ·(x − mean of x over all units),
θ = cov(y, x) / var(x) over all units together.
"""

import csv
import json
import math
import pathlib
from fractions import Fraction

HERE = pathlib.Path(__file__).parent
ARMS = ("old", "new")


def tail(t, df):
    """P(|T| > t): the regularised incomplete beta function as a continued fraction (Lentz)."""
    a, b, x = df / 2, 0.5, df / (df + t * t)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta(b, a, 1 - x)
    return beta(a, b, x)


def beta(a, b, x):
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    f, c, d = 1.0, 1.0, 0.0
    for i in range(1000):
        m = i // 2
        if i == 0:
            numerator = 1.0
        elif i % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + numerator * d)
        c = 1 + numerator / c
        f *= c * d
        if abs(1 - c * d) < 1e-16:
            break
    return front * (f - 1)


def quantile(level, df):
    """t with P(|T| > t) = 1 − level."""
    low, high = 0.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, df) > 1 - level else (low, middle)
    return (low + high) / 2


def moments(values):
    n, total, squares = len(values), sum(values), sum(v * v for v in values)
    mean = total / n
    return {"n": n, "sum": total, "sumsq": squares, "mean": mean, "var": (squares - n * mean * mean) / (n - 1)}


def decimal(fraction):
    """The exact decimal text of a fraction of cents."""
    places = next(k for k in range(20) if 10**k % fraction.denominator == 0)
    digits = str(fraction.numerator * (10**places // fraction.denominator)).rjust(places + 1, "0")
    return digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}"


def welch(old, new):
    v_old, v_new = old["var"] / old["n"], new["var"] / new["n"]
    difference, se = new["mean"] - old["mean"], math.sqrt(v_old + v_new)
    df = float((v_old + v_new) ** 2 / (v_old**2 / (old["n"] - 1) + v_new**2 / (new["n"] - 1)))
    t = float(difference) / se
    z, q = 1.959963984540054, quantile(0.95, df)
    m = old["mean"]
    return {
        "diff": float(difference),
        "se": se,
        "t": t,
        "df": df,
        "p_welch_t": tail(abs(t), df),
        "p_welch_z": math.erfc(abs(t) / math.sqrt(2)),
        "ci95_z": [float(difference) - z * se, float(difference) + z * se],
        "ci95_t": [float(difference) - q * se, float(difference) + q * se],
        "rel_diff": float(difference / m),
        "rel_diff_se_delta": math.sqrt(v_new / m**2 + new["mean"] ** 2 * v_old / m**4),
    }


def pooled(old, new):
    p = (old["sum"] + new["sum"]) / (old["n"] + new["n"])
    se = math.sqrt(p * (1 - p) * (Fraction(1, old["n"]) + Fraction(1, new["n"])))
    z = float(new["mean"] - old["mean"]) / se
    return {"se": se, "z": z, "p": math.erfc(abs(z) / math.sqrt(2))}


def adjusted(rows, column):
    y, x = [row[column] for row in rows], [row["spent_before"] for row in rows]
    n, mean_x, mean_y = len(rows), sum(x) / len(rows), sum(y) / len(rows)
    cov = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    var_x, var_y = sum((a - mean_x) ** 2 for a in x), sum((b - mean_y) ** 2 for b in y)
    theta = cov / var_x
    by_arm = {arm: moments([r[column] - theta * (r["spent_before"] - mean_x) for r in rows if r["button"] == arm]) for arm in ARMS}
    raw = {arm: moments([r[column] for r in rows if r["button"] == arm]) for arm in ARMS}
    return {
        "covariate": "spent_before",
        "theta": float(theta),
        "units": n,
        "mean_x_all": float(mean_x),
        "corr_yx_all": float(cov) / math.sqrt(var_x * var_y),
        "arms": {
            arm: {
                "n": one["n"],
                "mean": float(one["mean"]),
                "var": float(one["var"]),
                "variance_reduction": float(1 - one["var"] / raw[arm]["var"]),
            }
            for arm, one in by_arm.items()
        },
        "comparisons": {"new": welch(by_arm["old"], by_arm["new"])},
    }


def metric(rows, column, with_covariate):
    by_arm = {arm: moments([row[column] for row in rows if row["button"] == arm]) for arm in ARMS}
    comparison = welch(by_arm["old"], by_arm["new"])
    if all(row[column] in (0, 1) for row in rows):
        comparison["pooled_z"] = pooled(by_arm["old"], by_arm["new"])
    arms = {
        arm: {"n": one["n"], "sum": decimal(one["sum"]), "sumsq": decimal(one["sumsq"]), "mean": float(one["mean"]), "var": float(one["var"])}
        for arm, one in by_arm.items()
    }
    found = {"arms": arms, "comparisons": {"new": comparison}}
    return {**found, "cuped": adjusted(rows, column)} if with_covariate else found


def number(text):
    return Fraction(text) if text else Fraction(0)


with open(HERE / "data.csv", newline="") as file:
    rows = [
        {"button": row["button"], **{name: number(row[name]) for name in ("bought", "revenue", "spent_before")}}
        for row in csv.DictReader(file)
    ]
observed = {arm: sum(row["button"] == arm for row in rows) for arm in ARMS}
even = Fraction(len(rows), 2)
chi2 = float(sum((n - even) ** 2 / even for n in observed.values()))
bought = metric(rows, "bought", False)
bought["comparisons"]["new"]["holm"] = bought["comparisons"]["new"]["p_welch_t"]  # a family of one
expected = {
    "source": "reference.py beside this file",
    "population": {"units": len(rows), "counted": len(rows)},
    "srm": {"observed": observed, "chi2": chi2, "df": 1, "p": math.erfc(math.sqrt(chi2 / 2))},
    "metrics": {"bought": bought, "revenue": metric(rows, "revenue", True)},
    "verdict": "go",
}
with open(HERE / "expected.json", "w") as file:
    file.write(json.dumps(expected, indent=2) + "\n")
