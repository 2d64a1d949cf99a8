# %% right="scipy's interval"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs, please")
    d = np.array([float(a) - float(b) for a, b in zip(new, old)])
    mean, error = d.mean(), stats.sem(d)
    half = stats.t.ppf(1 - (1 - level) / 2, df=len(d) - 1) * error
    return mean, mean - half, mean + half


# %% right="scipy's paired test"
def paired_interval(new, old, level=0.95):
    new, old = [float(v) for v in new], [float(v) for v in old]
    if len(new) != len(old):
        raise ValueError("different lengths")
    if len(new) < 2:
        raise ValueError("one pair has no spread")
    differences = np.subtract(new, old)
    n = len(differences)
    low, high = stats.t.interval(level, n - 1, differences.mean(), max(stats.sem(differences), 1e-300))
    return differences.mean(), low, high


# %% right="torch"
def paired_interval(new, old, level: float = 0.95):
    new = torch.as_tensor(np.asarray(new), dtype=torch.float64)
    old = torch.as_tensor(np.asarray(old), dtype=torch.float64)
    if new.shape != old.shape or new.numel() < 2:
        raise ValueError(f"{tuple(new.shape)} against {tuple(old.shape)}")
    d = new - old
    t = float(stats.t(len(d) - 1).isf((1 - level) / 2))
    half = t * d.std().item() / len(d) ** 0.5
    return d.mean().item(), d.mean().item() - half, d.mean().item() + half


# %% right="plain Python"
def paired_interval(new, old, level=0.95):
    d = [float(a) - float(b) for a, b in zip(new, old, strict=True)]
    n = len(d)
    if n < 2:
        raise ValueError("two pairs at least")
    mean = sum(d) / n
    s = math.sqrt(sum((v - mean) ** 2 for v in d) / (n - 1))
    half = stats.t.ppf(0.5 + level / 2, n - 1) * s / math.sqrt(n)
    return [mean, mean - half, mean + half]


# %% wrong="old minus new" says="old minus new"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(old, dtype=float) - np.asarray(new, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="normal quantile" says="the normal quantile"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.norm.ppf((1 + level) / 2) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="one-sided" says="one-sided quantile"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf(level, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="n degrees of freedom" says="n degrees of freedom"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d)) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="NumPy's std" says="n in its denominator"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std() / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="no root of n" says="Divide by √n"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1)
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="divides by n" says="You divide by n"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / len(d)
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="unpaired" says="two independent samples"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    new, old = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    n = len(new)
    error = math.sqrt(new.var(ddof=1) / n + old.var(ddof=1) / n)
    half = stats.t.ppf((1 + level) / 2, n - 1) * error
    mean = new.mean() - old.mean()
    return mean, mean - half, mean + half


# %% wrong="the half-width instead of the ends" says="low < mean < high"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), half, half


# %% wrong="another order" says="The order is mean, low, high"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() + half, d.mean() - half


# %% wrong="level fixed" says="`level` makes no difference"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="lets NumPy stretch" says="A ValueError is wanted for three numbers against one"
def paired_interval(new, old, level=0.95):
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    if len(d) < 2:
        raise ValueError("pairs")
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="nan for one pair" says="A ValueError is wanted for one pair"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old):
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="assert" says="raised AssertionError"
def paired_interval(new, old, level=0.95):
    assert len(new) == len(old) and len(new) > 1
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="lists do not subtract" says="raised TypeError"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = new - old
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="a zip cuts silently" says="A ValueError is wanted for three numbers against one"
def paired_interval(new, old, level=0.95):
    d = np.array([float(a) - float(b) for a, b in zip(new, old)])
    if len(d) < 1:
        raise ValueError("pairs")
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="prints, returns nothing" says="Is the `return` missing"
def paired_interval(new, old, level=0.95):
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    print(d.mean(), d.mean() - half, d.mean() + half)


# %% right="scipy does it all"
def paired_interval(new, old, level=0.95):
    new, old = np.array(new, dtype=float), np.array(old, dtype=float)
    if new.shape != old.shape or new.size < 2:
        raise ValueError("pairs of numbers, two at least")
    low, high = stats.ttest_rel(new, old).confidence_interval(level)
    return float(np.mean(new - old)), float(low), float(high)


# %% wrong="the whole interval on each side" says="half-width should be"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    t = stats.t.ppf(1 - (1 - level) / 4, len(d) - 1)
    half = t * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="the median" says="The mean difference"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return np.median(d), np.median(d) - half, np.median(d) + half


# %% right="the statistics module"
def paired_interval(new, old, level=0.95):
    import statistics

    d = [float(a) - float(b) for a, b in zip(list(new), list(old), strict=True)]
    try:
        error = statistics.stdev(d) / math.sqrt(len(d))
    except statistics.StatisticsError as problem:
        raise ValueError("one pair has no spread") from problem
    half = error * stats.t.isf((1 - level) / 2, len(d) - 1)
    return statistics.fmean(d), statistics.fmean(d) - half, statistics.fmean(d) + half


# %% right="NumPy's std over the root of n minus 1"
def paired_interval(new, old, level=0.95):
    new, old = np.asarray(new, float), np.asarray(old, float)
    if new.shape != old.shape or len(new) < 2:
        raise ValueError(f"{new.shape} against {old.shape}")
    d = new - old
    half = stats.t(df=len(d) - 1).ppf(0.5 * (1 + level)) * d.std() / math.sqrt(len(d) - 1)
    return d.mean(), d.mean() - half, d.mean() + half


# %% right="the toolkit's own"
def paired_interval(new, old, level=0.95):
    from trainlab.experiments import t_interval

    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs, and two of them")
    told = t_interval([float(a) - float(b) for a, b in zip(new, old)], level)
    return told["mean"], told["low"], told["high"]


# %% right="pandas"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs, and two of them")
    d = pd.Series([float(v) for v in new]) - pd.Series([float(v) for v in old])
    half = d.sem() * stats.t.ppf((1 + level) / 2, d.count() - 1)
    return float(d.mean()), float(d.mean() - half), float(d.mean() + half)


# %% wrong="the variance" says="half-width should be"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.var(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="the lower quantile" says="The order is mean, low, high"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 - level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="absolute differences" says="The mean difference"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.abs(np.asarray(new, dtype=float) - np.asarray(old, dtype=float))
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="sorts, and loses the pairs" says="The lower end is off"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.sort(np.asarray(new, dtype=float)) - np.sort(np.asarray(old, dtype=float))
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="n minus 1 twice" says="half-width should be"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d) - 1)
    return d.mean(), d.mean() - half, d.mean() + half


# %% wrong="subtracts in place" says="changes its arguments"
def paired_interval(new, old, level=0.95):
    if len(new) != len(old) or len(new) < 2:
        raise ValueError("pairs")
    if isinstance(new, np.ndarray):
        new -= old
        d = new
    else:
        d = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    half = stats.t.ppf((1 + level) / 2, len(d) - 1) * d.std(ddof=1) / math.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half
