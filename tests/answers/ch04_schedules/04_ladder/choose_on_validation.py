# %% right="numpy and nan"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    table = np.array([[run(r, s, "valid") for s in tuning_seeds] for r in rates])
    means = table.mean(axis=1)
    if np.isnan(means).all():
        raise ValueError("all diverged")
    best = rates[int(np.nanargmax(means))]
    edge = best == min(rates) or best == max(rates)
    return {"rate": best, "at_edge": edge, "test": [run(best, s, "test") for s in seeds]}


# %% right="keeps the best so far"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    best_rate, best_mean = None, -math.inf
    for rate in rates:
        total = 0.0
        for seed in tuning_seeds:
            total += run(rate, seed, "valid")
        mean = total / len(tuning_seeds)
        if mean > best_mean:  # False for nan
            best_rate, best_mean = rate, mean
    if best_rate is None:
        raise ValueError("no rate has trained")
    result = {"rate": best_rate, "at_edge": best_rate in {min(rates), max(rates)}, "test": []}
    for seed in seeds:
        result["test"].append(run(best_rate, seed, "test"))
    return result


# %% right="seeds in the outer loop"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    sums = dict.fromkeys(rates, 0.0)
    for seed in tuning_seeds:
        for rate in rates:
            sums[rate] += run(rate, seed, split="valid")
    good = {rate: total for rate, total in sums.items() if total == total}
    if not good:
        raise ValueError
    rate = max(good, key=good.get)
    ordered = sorted(rates)
    return dict(
        rate=rate,
        at_edge=bool(rate == ordered[0] or rate == ordered[-1]),
        test=[run(rate, seed, split="test") for seed in seeds],
    )


# %% right="the toolkit's sweep and best"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    def one(rate, seed):
        return {"accuracy": run(rate, seed, "valid")}

    table = lab.sweep(one, {"rate": rates}, tuning_seeds)
    if table.groupby("rate").accuracy.apply(lambda a: a.isna().any()).all():
        raise ValueError("all diverged")
    means = table.groupby("rate", sort=False).accuracy.apply(lambda a: a.mean(skipna=False))
    rate = float(means.idxmax())
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, seed, "test") for seed in seeds],
    }


# %% wrong="chooses on the test images" says="choosing on the test set"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    scores = {r: sum(run(r, s, "test") for s in seeds) / len(seeds) for r in rates}
    rate = max(scores, key=scores.get)
    return {"rate": rate, "at_edge": False, "test": [run(rate, s, "test") for s in seeds]}


# %% wrong="tests every rate, reports one" says="choosing on the test set"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means, tests = [], []
    for rate in rates:
        m = sum(run(rate, s, "valid") for s in tuning_seeds) / len(tuning_seeds)
        means.append(-math.inf if math.isnan(m) else m)
        tests.append([run(rate, s, "test") for s in seeds])
    k = means.index(max(means))
    return {"rate": rates[k], "at_edge": rates[k] in (min(rates), max(rates)), "test": tests[k]}


# %% wrong="the best single run" says="has the best single run"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    best, rate = -math.inf, None
    for r in rates:
        row = [run(r, s, "valid") for s in tuning_seeds]
        if any(math.isnan(a) for a in row):
            continue
        if max(row) > best:
            best, rate = max(row), r
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="leaves nan out of the mean" says="nan must not win"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [float(np.nanmean([run(r, s, "valid") for s in tuning_seeds])) for r in rates]
    rate = rates[means.index(max(means))]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="argmax with nan" says="nan must not win"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [np.mean([run(r, s, "valid") for s in tuning_seeds]) for r in rates]
    rate = rates[int(np.argmax(means))]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="edges of the list" says="its value lies between 0.1 and 0.8"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    means = [-math.inf if math.isnan(m) else m for m in means]
    if max(means) == -math.inf:
        raise ValueError
    k = means.index(max(means))
    return {
        "rate": rates[k],
        "at_edge": k in (0, len(rates) - 1),
        "test": [run(rates[k], s, "test") for s in seeds],
    }


# %% wrong="the last of equals" says="Of equally good rates the first"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    best, rate = -math.inf, None
    for r in rates:
        m = sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds)
        if m >= best:
            best, rate = m, r
    if rate is None:
        raise ValueError
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="no ValueError" says="a ValueError is expected"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    means = [-1 if math.isnan(m) else m for m in means]
    rate = rates[means.index(max(means))]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="begins at 0" says="score need not be an accuracy"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    best, rate, trained = 0.0, rates[0], False
    for r in rates:
        m = sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds)
        trained = trained or not math.isnan(m)
        if m > best:
            best, rate = m, r
    if not trained:
        raise ValueError("all diverged")
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="the seeds of the report choose" says="should have `tuning_seeds`"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    scores = []
    for r in rates:
        row = [run(r, s, "valid") for s in [*tuning_seeds, tuning_seeds[0] - 1]]
        scores.append(sum(row) / len(row))
    rate = rates[scores.index(max(scores))]
    return {"rate": rate, "at_edge": False, "test": [run(rate, s, "test") for s in seeds]}


# %% wrong="runs each pair twice" says="each once; there were 16"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    good = [
        r for r in rates if not any(math.isnan(run(r, s, "valid")) for s in list(tuning_seeds))
    ]
    means = {r: sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates}
    if not good:
        raise ValueError
    rate = max(good, key=means.get)
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="one seed only" says="are 8 runs on validation images"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [run(r, tuning_seeds[0], "valid") for r in rates]
    rate = rates[means.index(max(means))]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="the mean of the test instead of the list" says="should be the list"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    means = [-math.inf if math.isnan(m) else m for m in means]
    rate = rates[means.index(max(means))]
    test = [run(rate, s, "test") for s in seeds]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [sum(test) / len(test)],
    }


# %% wrong="a tuple" says="This should give a dict"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    rate = rates[means.index(max(means))]
    return rate, [run(rate, s, "test") for s in seeds]


# %% wrong="sorts the learner's list" says="lists that were handed over have changed"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = {r: sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates}
    good = {r: m for r, m in means.items() if not math.isnan(m)}
    if not good:
        raise ValueError
    rate = max(good, key=good.get)
    rates.sort()
    return {
        "rate": rate,
        "at_edge": rate in (rates[0], rates[-1]),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="plain max, with nan among the means" says="`max` keeps a nan that comes first"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    if all(math.isnan(m) for m in means):
        raise ValueError("all diverged")
    rate = rates[means.index(max(means))]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="the best single run, nan not looked at" says="has the best single run"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    tops = {r: max(run(r, s, "valid") for s in tuning_seeds) for r in rates}
    rate = max(tops, key=tops.get)
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="the seeds of the report on the validation images" says="should have `tuning_seeds`"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in seeds) / len(seeds) for r in rates]
    rate = rates[means.index(max(means))]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": [run(rate, s, "test") for s in seeds],
    }


# %% wrong="the places of the rates instead of the rates" says="you tried [0, 1, 2, 3]"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    places = range(len(rates))
    means = [sum(run(k, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for k in places]
    k = means.index(max(means))
    return {"rate": k, "at_edge": k in (0, len(rates) - 1), "test": [run(k, s, "test") for s in seeds]}


# %% wrong="all seeds at once" says="`run` takes one rate and one seed, not 0.8 and [7, 8]"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [run(r, tuning_seeds, "valid") for r in rates]
    rate = rates[means.index(max(means))]
    return {"rate": rate, "at_edge": False, "test": run(rate, seeds, "test")}


# %% wrong="a list with the rate" says="one number, not [0.2]"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    means = [-math.inf if math.isnan(m) else m for m in means]
    best = [r for r, m in zip(rates, means) if m == max(means)]
    test = [run(r, s, "test") for r in best for s in seeds]
    return {"rate": best, "at_edge": best[0] in (min(rates), max(rates)), "test": test}


# %% wrong="the mean of the test, a number" says="should be a list, with one accuracy"
def choose_on_validation(run, rates, tuning_seeds, seeds):
    means = [sum(run(r, s, "valid") for s in tuning_seeds) / len(tuning_seeds) for r in rates]
    means = [-math.inf if math.isnan(m) else m for m in means]
    rate = rates[means.index(max(means))]
    test = [run(rate, s, "test") for s in seeds]
    return {
        "rate": rate,
        "at_edge": rate in (min(rates), max(rates)),
        "test": sum(test) / len(test),
    }
