# %% right="merge on the seed"
def ledger(runs, order):
    rows = []
    for a, b in zip(order[:-1], order[1:]):
        left = runs.loc[runs["rung"] == a, ["seed", "accuracy"]]
        right = runs.loc[runs["rung"] == b, ["seed", "accuracy"]]
        both = left.merge(right, on="seed", suffixes=("_a", "_b"))
        d = (both["accuracy_b"] - both["accuracy_a"]).to_numpy()
        n = len(d)
        if n > 1:
            half = stats.t.ppf(0.975, n - 1) * np.std(d, ddof=1) / np.sqrt(n)
        else:
            half = np.nan
        rows.append((b, n, d.mean(), d.mean() - half, d.mean() + half))
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% right="dictionaries and plain Python"
def ledger(runs, order):
    table = {}
    for rung, seed, accuracy in zip(runs.rung, runs.seed, runs.accuracy):
        table.setdefault(rung, {})[seed] = accuracy
    out = {"rung": [], "n": [], "gain": [], "low": [], "high": []}
    for k in range(1, len(order)):
        new, old = table[order[k]], table[order[k - 1]]
        gains = [new[s] - old[s] for s in new if s in old]
        n = len(gains)
        mean = sum(gains) / n
        half = float("nan")
        if n > 1:
            s2 = sum((g - mean) ** 2 for g in gains) / (n - 1)
            half = stats.t.ppf(0.975, n - 1) * math.sqrt(s2 / n)
        for name, value in zip(out, (order[k], n, mean, mean - half, mean + half)):
            out[name].append(value)
    return pd.DataFrame(out)


# %% right="scipy's paired test"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        pair = wide[[a, b]].dropna()
        low = high = math.nan
        if len(pair) > 1:
            low, high = stats.ttest_rel(pair[b], pair[a]).confidence_interval(0.95)
        gain = (pair[b] - pair[a]).mean()
        rows.append(dict(rung=b, n=len(pair), gain=gain, low=low, high=high))
    return pd.DataFrame(rows)


# %% right="the toolkit's function, gaps taken out first"
def ledger(runs, order):
    parts = []
    for a, b in itertools.pairwise(order):
        part = runs[runs.rung.isin([a, b])].astype({"rung": str})
        full = part.groupby("seed").rung.transform("size") == 2
        parts.append(lab.paired_difference(part[full], "rung", "accuracy", a))
    table = pd.concat(parts, ignore_index=True).rename(columns={"mean": "gain"})
    return table[["rung", "n", "gain", "low", "high"]]


# %% right="series by seed"
def ledger(runs, order):
    by = {name: runs[runs.rung == name].set_index("seed").accuracy for name in order}
    rows = []
    for a, b in itertools.pairwise(order):
        d = by[b].sub(by[a]).dropna()
        half = stats.t.interval(0.95, len(d) - 1, scale=d.sem())[1] if len(d) > 1 else math.nan
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="the rows as they stand" says="The pairs are not by seed"
def ledger(runs, order):
    rows = []
    for a, b in itertools.pairwise(order):
        left = runs[runs.rung == a].accuracy.to_numpy()
        right = runs[runs.rung == b].accuracy.to_numpy()
        d = right - left if len(left) == len(right) else right - left.mean()
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * d.std(ddof=1) / math.sqrt(n) if n > 1 else math.nan
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="unpaired" says="as unpaired"
def ledger(runs, order):
    rows = []
    for a, b in itertools.pairwise(order):
        x, y = runs[runs.rung == a].accuracy, runs[runs.rung == b].accuracy
        n = min(len(x), len(y))
        gain = y.mean() - x.mean()
        low = high = math.nan
        if n > 1:
            low, high = stats.ttest_ind(y, x, equal_var=False).confidence_interval()
        rows.append([b, n, gain, low, high])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="1.96" says="Three seeds have t = 4.303"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        half = 1.96 * d.std() / math.sqrt(len(d))
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="n degrees of freedom" says="n − 1 = 2 degrees of freedom"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        half = stats.t.ppf(0.975, len(d)) * d.std() / math.sqrt(len(d))
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="NumPy's std" says="Your s divides by n"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna().to_numpy()
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * np.std(d) / math.sqrt(n) if n > 1 else math.nan
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="without the root of n" says="divide by √n"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        half = stats.t.ppf(0.975, len(d) - 1) * d.std()
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="90 per cent" says="That is a 90 % interval"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        half = stats.t.ppf(0.95, len(d) - 1) * d.std() / math.sqrt(len(d))
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="over the first rung" says="c's gain over the first rung"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for b in order[1:]:
        d = (wide[b] - wide[order[0]]).dropna()
        half = stats.t.ppf(0.975, len(d) - 1) * d.std() / math.sqrt(len(d)) if len(d) > 1 else math.nan
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="the sign turned round" says="The sign is turned round"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[a] - wide[b]).dropna()
        half = stats.t.ppf(0.975, len(d) - 1) * d.std() / math.sqrt(len(d)) if len(d) > 1 else math.nan
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="drops incomplete seeds of the whole order" says="not of the whole table"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")[order].dropna()
    rows = []
    for a, b in itertools.pairwise(order):
        d = wide[b] - wide[a]
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * d.std() / math.sqrt(n) if n > 1 else math.nan
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="order of appearance" says="`order` says which rungs"
def ledger(runs, order):
    names = list(dict.fromkeys(runs.rung))
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(names):
        d = (wide[b] - wide[a]).dropna()
        half = stats.t.ppf(0.975, len(d) - 1) * d.std() / math.sqrt(len(d)) if len(d) > 1 else math.nan
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="a row for the first rung, too" says="from the second on"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = [[order[0], len(wide), 0.0, 0.0, 0.0]]
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        half = stats.t.ppf(0.975, len(d) - 1) * d.std() / math.sqrt(len(d)) if len(d) > 1 else math.nan
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="sorts the learner's table in place" says="`runs` has changed"
def ledger(runs, order):
    runs.sort_values(["rung", "seed"], inplace=True)
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        half = stats.t.ppf(0.975, len(d) - 1) * d.std() / math.sqrt(len(d)) if len(d) > 1 else math.nan
        rows.append([b, len(d), d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="a list of dictionaries" says="This should give a DataFrame"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    return [dict(rung=b, gain=(wide[b] - wide[a]).mean()) for a, b in itertools.pairwise(order)]


# %% wrong="an interval of width 0 for one pair" says="One pair has no spread"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).dropna()
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * d.std() / math.sqrt(n) if n > 1 else 0.0
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="counts all seeds" says="Only seed 1 is in both rungs"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = wide[b] - wide[a]
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * d.std() / math.sqrt(n) if n > 1 else math.nan
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="drops incomplete seeds of the whole pivot" says="not of the whole table"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy").dropna()
    rows = []
    for a, b in itertools.pairwise(order):
        d = wide[b] - wide[a]
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * d.std() / math.sqrt(n) if n > 1 else math.nan
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])


# %% wrong="a missing run counts as 0" says="Only seed 1 is in both rungs"
def ledger(runs, order):
    wide = runs.pivot(index="seed", columns="rung", values="accuracy")
    rows = []
    for a, b in itertools.pairwise(order):
        d = (wide[b] - wide[a]).fillna(0)
        n = len(d)
        half = stats.t.ppf(0.975, n - 1) * d.std() / math.sqrt(n) if n > 1 else math.nan
        rows.append([b, n, d.mean(), d.mean() - half, d.mean() + half])
    return pd.DataFrame(rows, columns=["rung", "n", "gain", "low", "high"])
