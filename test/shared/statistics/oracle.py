"""Makes oracle.json: expected values for preload/shared/statistics, by SciPy and NumPy, which share no code with it.

    python oracle.py > oracle.json        (made with SciPy 1.17.1 and NumPy 2.4.6, seed 20260301)

Numbers that JSON has no way to write stand as strings: "nan", "inf", "-inf".
"""
import json, math, sys, warnings
import numpy as np
from scipy import integrate, stats

warnings.filterwarnings('ignore')
rng = np.random.default_rng(20260301)

def plain(x):
    if isinstance(x, dict): return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)): return [plain(v) for v in x]
    if isinstance(x, (np.floating, float)):
        x = float(x)
        return x if math.isfinite(x) else 'nan' if math.isnan(x) else 'inf' if x > 0 else '-inf'
    if isinstance(x, (np.integer,)): return int(x)
    return x

def described(values):
    v = np.array([x for x in values if math.isfinite(x)], dtype=np.longdouble)
    n = len(v)
    mean = v.mean() if n else math.nan
    sd = v.std(ddof=1) if n > 1 else math.nan
    return dict(values=values, n=n, mean=float(mean), sd=float(sd))

describe = [described(list(rng.normal(m, s, n))) for m, s, n in
            [(3, .1, 2), (3, .1, 3), (0, 1, 10), (1e9, 1e-3, 5), (1e12, 1, 7), (-4, 1e-7, 6), (0, 1e-200, 4), (1e300, 1e299, 9)]]
describe += [described(v) for v in ([5.5], [2., 2., 2.], [0.1, 0.1, 0.1], [math.nan, 3., math.inf, 4.], [math.nan], [],
             [1.7e308, 1.6e308, 1.5e308], [5e-324, 1e-323], [1e9 + 1, 1e9 + 2, 1e9 + 3])]

def samples(i):
    """Odd sizes, a shared luck of the seed, ties, large offsets."""
    n = int(rng.integers(2, 12))
    luck = rng.normal(0, 10.0 ** rng.integers(-3, 2), n)
    offset = [0, 3, 1e6, -1e9][i % 4]
    a = offset + luck + rng.normal(rng.normal(0, .5), .3, n)
    b = offset + luck + rng.normal(0, .3, n)
    if i % 5 == 0: a, b = np.round(a, 1), np.round(b, 1)
    return list(a), list(b)

paired, welch = [], []
for i in range(40):
    a, b = samples(i)
    r = stats.ttest_rel(a, b)
    ci = r.confidence_interval(0.95)
    paired.append(dict(a=a, b=b, mean=float(np.mean(np.array(a) - np.array(b))), p=r.pvalue, low=ci.low, high=ci.high))
    b = b[: max(2, len(b) - int(rng.integers(0, 4)))]
    r = stats.ttest_ind(a, b, equal_var=False)
    ci = r.confidence_interval(0.95)
    welch.append(dict(a=a, b=b, df=r.df, p=r.pvalue, low=ci.low, high=ci.high))
# Without any spread.
for a, b in ([1., 2.], [1., 2.]), ([2., 3., 4.], [1., 2., 3.]):
    r = stats.ttest_rel(a, b)
    paired.append(dict(a=a, b=b, mean=a[0] - b[0], p=1.0 if a == b else 0.0, low=a[0] - b[0], high=a[0] - b[0]))

def holm(p):
    """By the definition: reject while p(i) ≤ level / (m − i + 1); adjusted = running maximum of (m − i + 1)·p(i), at most 1."""
    p = np.array(p)
    order = np.argsort(p, kind='stable')
    adjusted = np.minimum(1, np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]))
    out = np.empty_like(p); out[order] = adjusted
    return out

holms = [dict(p=list(p), adjusted=list(holm(p))) for p in
         [rng.uniform(0, .1, n) ** 1.5 for n in (1, 2, 3, 5, 8, 13)] + [np.array([.01, .01, .04, .04, 1.]), np.array([0., 0., .5])]]

t = [dict(alpha=a, df=d, critical=stats.t.isf(a / 2, d)) for d in (1, 1.3, 2, 3, 4.7, 9, 30, 1e3, 1e5)
     for a in (.5, .2, .05, .05 / 3, .01, .05 / 19, 1e-6)]
tails = [dict(t=x, df=d, p=2 * stats.t.sf(x, d)) for d in (1, 2, 3.5, 8, 50) for x in (0.1, 1, 3, 12, 80, 1e4, 1e8)]

def power_of(n, effect, alpha, sides):
    """P(T > critical) for T = (Z + nc) / sqrt(chi2 / df), by quadrature: scipy.stats.nct loses its digits for large nc."""
    df, nc = sides * (n - 1), effect * math.sqrt(n / sides)
    crit = stats.t.isf(alpha / 2, df)
    f = lambda u: stats.norm.cdf(nc - crit * u) * stats.chi.pdf(u * math.sqrt(df), df) * math.sqrt(df)
    return integrate.quad(f, 0, 1 + 12 / math.sqrt(df), limit=500)[0]

def needed(effect, alpha, power, sides):
    """Smallest n per setting whose power reaches `power`; sides: 1 paired, 2 independent with equal spread."""
    low, high = 1, 2
    while power_of(high, effect, alpha, sides) < power: low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if power_of(middle, effect, alpha, sides) >= power: high = middle
        else: low = middle
    return high

power = [dict(effect=e, alpha=a, power=.8, paired=needed(e, a, .8, 1), welch=needed(e, a, .8, 2))
         for e in (.2, .35, .5, .8, 1.2, 2, 4, 10) for a in (.05, .05 / 4, .05 / 11)]

def ranked(n, values):
    a = list(rng.integers(0, values, n).astype(float)); b = list(rng.normal(0, 1, n))
    return dict(a=a, b=b, rho=stats.spearmanr(a, b).statistic)
spearman = [ranked(n, v) for n, v in ((3, 100), (8, 3), (25, 4), (60, 1000))]
quantile = [dict(values=sorted(v), p=q, value=np.quantile(v, q)) for v in
            [list(rng.normal(0, 1, n)) for n in (1, 2, 7, 40)] for q in (0, .05, .5, .9, 1)]

json.dump(plain(dict(describe=describe, paired=paired, welch=welch, holm=holms, t=t, tails=tails, power=power,
                     spearman=spearman, quantile=quantile)), sys.stdout, indent=1)
