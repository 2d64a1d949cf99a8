# %% right="a function of two"
def rank_ranges(runs, level=0.95):
    by_seed = runs.pivot(index="seed", columns="contender", values="accuracy")
    names = list(by_seed.columns)
    k, n = len(names), len(by_seed)
    p = k * (k - 1) / 2
    t = stats.t.ppf(1 - (1 - level) / (2 * p), df=n - 1)

    def better(a, b):
        d = by_seed[a] - by_seed[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = []
    for a in names:
        rest = [b for b in names if b != a]
        rows.append(
            {
                "contender": a,
                "mean": by_seed[a].mean(),
                "best": 1 + sum(better(b, a) for b in rest),
                "worst": k - sum(better(a, b) for b in rest),
            }
        )
    return pd.DataFrame(rows).sort_values("mean", ascending=False)


# %% right="numpy, all pairs at once"
def rank_ranges(runs, level=0.95):
    wide = runs.pivot_table(index="contender", columns="seed", values="accuracy", observed=True)
    a = wide.to_numpy()
    k, n = a.shape
    d = a[:, None, :] - a[None, :, :]
    t = stats.t.isf((1 - level) / (k * (k - 1)), n - 1)
    half = t * d.std(axis=2, ddof=1) / np.sqrt(n)
    clear = d.mean(axis=2) > half
    out = pd.DataFrame(
        {
            "contender": wide.index,
            "mean": a.mean(axis=1),
            "best": 1 + clear.sum(axis=0),
            "worst": k - clear.sum(axis=1),
        }
    )
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% right="dictionaries and loops"
def rank_ranges(runs, level=0.95):
    scores = {}
    for c, s, v in zip(runs["contender"], runs["seed"], runs["accuracy"]):
        scores.setdefault(c, {})[s] = float(v)
    k = len(scores)
    best, worst = dict.fromkeys(scores, 1), dict.fromkeys(scores, k)
    alpha = (1 - level) / (k * (k - 1) / 2)
    for a, b in itertools.combinations(scores, 2):
        d = np.array([scores[a][s] - scores[b][s] for s in scores[a]])
        half = stats.t.ppf(1 - alpha / 2, len(d) - 1) * d.std(ddof=1) / len(d) ** 0.5
        if d.mean() - half > 0:
            best[b] += 1
            worst[a] -= 1
        if d.mean() + half < 0:
            best[a] += 1
            worst[b] -= 1
    rows = [(c, sum(v.values()) / len(v), best[c], worst[c]) for c, v in scores.items()]
    rows.sort(key=lambda row: row[1], reverse=True)
    return pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])


# %% right="with scipy's interval"
def rank_ranges(runs, level=0.95):
    wide = runs.set_index(["seed", "contender"]).accuracy.unstack()
    k = wide.shape[1]
    inner = 1 - (1 - level) * 2 / (k * (k - 1))

    def ahead(a, b):
        d = (wide[a] - wide[b]).to_numpy()
        if np.ptp(d) == 0:
            return d[0] > 0
        return stats.t.interval(inner, len(d) - 1, loc=d.mean(), scale=stats.sem(d))[0] > 0

    mean = wide.mean().sort_values(ascending=False)
    return pd.DataFrame(
        {
            "contender": mean.index,
            "mean": mean.values,
            "best": [1 + sum(ahead(b, a) for b in mean.index if b != a) for a in mean.index],
            "worst": [k - sum(ahead(a, b) for b in mean.index if b != a) for a in mean.index],
        }
    )


# %% wrong="plain places" says="cannot be told apart"
def rank_ranges(runs, level=0.95):
    means = runs.groupby("contender").accuracy.mean().sort_values(ascending=False)
    place = range(1, len(means) + 1)
    return pd.DataFrame({"contender": means.index, "mean": means.values, "best": place, "worst": place})


# %% wrong="not paired" says="take the differences seed by seed"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        half = t * math.sqrt((w[a].var() + w[b].var()) / n)
        return w[a].mean() - w[b].mean() - half > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="no correction for the pairs" says="divide 1 − level by P"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / 2, n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="corrects for k - 1" says="a range is wrong"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (2 * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="pairs counted twice" says="Two contenders make one pair"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (2 * k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="one-sided" says="a range is wrong"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    p = k * (k - 1) / 2
    t = stats.t.ppf(1 - (1 - level) / p, n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="the normal quantile" says="is no longer clear"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    z = stats.norm.ppf(1 - (1 - level) / (k * (k - 1)))

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - z * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="sd instead of the standard error" says="Two contenders make one pair"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="level ignored" says="At `level=0.99`"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - 0.05 / (k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="best and worst swapped" says="range should be 3 to 3"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(a, b) for b in w if b != a), k - sum(better(b, a) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="counts places from 0" says="range should be 3 to 3"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), sum(better(b, a) for b in w if b != a), k - 1 - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="lowest first" says="The highest mean should come first"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    return pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"]).sort_values("mean")


# %% wrong="numpy's standard deviation" says="s with n − 1"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = (w[a] - w[b]).to_numpy()
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="n degrees of freedom" says="n − 1 degrees of freedom"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() - t * d.std() / math.sqrt(n) > 0

    rows = [
        (a, w[a].mean(), 1 + sum(better(b, a) for b in w if b != a), k - sum(better(a, b) for b in w if b != a))
        for a in w
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="pairs by order of rows" says="a range is wrong"
def rank_ranges(runs, level=0.95):
    parts = {c: g.accuracy.to_numpy() for c, g in runs.groupby("contender")}
    k = len(parts)
    n = len(next(iter(parts.values())))
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = parts[a] - parts[b]
        return d.mean() - t * d.std(ddof=1) / math.sqrt(n) > 0

    rows = [
        (
            a,
            parts[a].mean(),
            1 + sum(better(b, a) for b in parts if b != a),
            k - sum(better(a, b) for b in parts if b != a),
        )
        for a in parts
    ]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="overlapping intervals of the means" says="take the differences seed by seed"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    half = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1) * w.std() / math.sqrt(n)
    low, high = w.mean() - half, w.mean() + half
    rows = [(a, w[a].mean(), 1 + (low > high[a]).sum(), k - (high < low[a]).sum()) for a in w]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="no lead is a tie that counts" says="range should be 3 to 3"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = w.shape
    t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)

    def better(a, b):
        d = w[a] - w[b]
        return d.mean() + t * d.std() / math.sqrt(n) >= 0

    rows = [(a, w[a].mean(), 1 + sum(better(b, a) for b in w), k - sum(better(a, b) for b in w)) for a in w]
    out = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return out.sort_values("mean", ascending=False, ignore_index=True)


# %% wrong="the index as a column" says="The columns should be"
def rank_ranges(runs, level=0.95):
    w = runs.pivot(index="seed", columns="contender", values="accuracy")
    return pd.DataFrame({"mean": w.mean(), "best": 1, "worst": w.shape[1]})
