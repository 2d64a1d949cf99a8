# %% right="with pandas"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    bad = (~losses.isfinite()).nonzero()
    end = int(bad[0]) if len(bad) else len(losses)
    if end == 0:
        raise ValueError("no finite loss")
    mean = pd.Series(losses[:end].tolist()).ewm(alpha=1 - smooth).mean()
    return float(rates[int(mean.idxmin())]) / margin


# %% right="in tensors, with a matrix of weights"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    n = int(losses.isfinite().long().cumprod(0).sum())
    if n == 0:
        raise ValueError("no finite loss")
    kept = losses[:n].double()
    age = torch.arange(n)[:, None] - torch.arange(n)
    weights = torch.where(age >= 0, torch.tensor(smooth, dtype=torch.float64) ** age.clamp(min=0), 0.0)
    mean = weights @ kept / weights.sum(1)
    return (rates[mean.argmin()].double() / margin).item()


# %% right="numpy, losses first cut"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    y = losses.detach().cpu().numpy().astype(float)
    good = np.isfinite(y)
    y = y if good.all() else y[: np.argmin(good)]
    if y.size == 0:
        raise ValueError("nothing to choose from")
    m, out = 0.0, []
    for i, value in enumerate(y):
        m = smooth * m + (1 - smooth) * value
        out.append(m / (1 - smooth ** (i + 1)))
    return float(rates[int(np.argmin(out))].item() / margin)


# %% right="unnormalised sums"
def pick_rate(rates: torch.Tensor, losses: torch.Tensor, smooth=0.9, margin=10.0) -> float:
    top, weight, best, where = 0.0, 0.0, float("inf"), -1
    for i in range(len(losses)):
        loss = float(losses[i])
        if loss - loss != 0:
            break
        top, weight = smooth * top + loss, smooth * weight + 1
        if top / weight < best:
            best, where = top / weight, i
    if where < 0:
        raise ValueError("the first loss is not finite")
    return float(rates[where]) / margin


# %% right="itertools.takewhile"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    from itertools import accumulate, takewhile

    kept = list(takewhile(math.isfinite, losses.tolist()))
    means = accumulate(kept, lambda m, loss: smooth * m + (1 - smooth) * loss, initial=0.0)
    corrected = [m / (1 - smooth**i) for i, m in enumerate(means) if i]
    return rates[corrected.index(min(corrected))].item() / margin


# %% wrong="at the minimum itself" says="divide it by `margin`"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[: int(losses.isfinite().long().cumprod(0).sum())]
    if len(kept) == 0:
        raise ValueError
    mean = pd.Series(kept.tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.idxmin())].item()


# %% wrong="multiplies by the margin" says="multiply by the margin"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[: int(losses.isfinite().long().cumprod(0).sum())]
    if len(kept) == 0:
        raise ValueError
    mean = pd.Series(kept.tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.idxmin())].item() * margin


# %% wrong="ten instead of the margin" says="The margin is an argument"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[: int(losses.isfinite().long().cumprod(0).sum())]
    if len(kept) == 0:
        raise ValueError
    mean = pd.Series(kept.tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.idxmin())].item() / 10


# %% wrong="the position" says="not the rate there"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[: int(losses.isfinite().long().cumprod(0).sum())]
    if len(kept) == 0:
        raise ValueError
    mean = pd.Series(kept.tolist()).ewm(alpha=1 - smooth).mean()
    return float(mean.idxmin()) / margin


# %% wrong="the loss" says="divide the rate"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[: int(losses.isfinite().long().cumprod(0).sum())]
    if len(kept) == 0:
        raise ValueError
    mean = pd.Series(kept.tolist()).ewm(alpha=1 - smooth).mean()
    return float(mean.min()) / margin


# %% wrong="the highest loss" says="The lowest counts"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[losses.isfinite()]
    if len(kept) == 0:
        raise ValueError
    return rates[int(kept.argmax())].item() / margin


# %% wrong="does not smooth" says="smooth it first"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    n = int(losses.isfinite().long().cumprod(0).sum())
    if n == 0:
        raise ValueError
    return rates[losses[:n].argmin()].item() / margin


# %% wrong="no bias correction" says="without bias correction"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    mean, means = 0.0, []
    for loss in losses.tolist():
        if not math.isfinite(loss):
            break
        mean = smooth * mean + (1 - smooth) * loss
        means.append(mean)
    if not means:
        raise ValueError
    return rates[means.index(min(means))].item() / margin


# %% wrong="starts the mean at the first loss" says="started at the first loss"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    means = []
    for loss in losses.tolist():
        if not math.isfinite(loss):
            break
        means.append(smooth * means[-1] + (1 - smooth) * loss if means else loss)
    if not means:
        raise ValueError
    return rates[means.index(min(means))].item() / margin


# %% wrong="argmin over nan" says="takes nan for the lowest"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    if not losses.isfinite()[0]:
        raise ValueError
    powers = smooth ** torch.arange(1, len(losses) + 1)
    mean, means = 0.0, []
    for loss in losses:
        mean = smooth * mean + (1 - smooth) * loss
        means.append(mean)
    return rates[(torch.stack(means) / (1 - powers)).argmin()].item() / margin


# %% wrong="skips what is not finite and goes on" says="do not count either"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    good = losses.isfinite()
    if not good[0]:
        raise ValueError
    rates, losses = rates[good], losses[good]
    mean = pd.Series(losses.tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.idxmin())].item() / margin


# %% wrong="cuts at nan only, not at infinity" says="nothing counts"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    bad = losses.isnan()
    end = int(bad.nonzero()[0]) if bad.any() else len(losses)
    if end == 0 or losses[0].isinf():
        raise ValueError
    mean, best, where = 0.0, math.inf, 0
    for i, loss in enumerate(losses[:end].clamp(-1e30, 1e30).tolist(), start=1):
        mean = smooth * mean + (1 - smooth) * loss
        if mean / (1 - smooth**i) < best:
            best, where = mean / (1 - smooth**i), i - 1
    return rates[where].item() / margin


# %% wrong="a tensor" says="Python float"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    n = int(losses.isfinite().long().cumprod(0).sum())
    if n == 0:
        raise ValueError
    mean = pd.Series(losses[:n].tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.idxmin())] / margin


# %% wrong="no error" says="raise a ValueError"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    n = int(losses.isfinite().long().cumprod(0).sum())
    if n == 0:
        return rates[0].item() / margin
    mean = pd.Series(losses[:n].tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.idxmin())].item() / margin


# %% wrong="in place" says="`losses` has changed"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    n = int(losses.isfinite().long().cumprod(0).sum())
    if n == 0:
        raise ValueError
    mean = 0.0
    for i in range(n):
        mean = smooth * mean + (1 - smooth) * losses[i].item()
        losses[i] = mean / (1 - smooth ** (i + 1))
    return rates[losses[:n].argmin()].item() / margin


# %% wrong="the last of several minima" says="first one counts"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    best, pick, mean = math.inf, None, 0.0
    for i, (rate, loss) in enumerate(zip(rates.tolist(), losses.tolist()), start=1):
        if not math.isfinite(loss):
            break
        mean = smooth * mean + (1 - smooth) * loss
        if mean / (1 - smooth**i) <= best:
            best, pick = mean / (1 - smooth**i), rate
    if pick is None:
        raise ValueError
    return pick / margin


# %% wrong="stops at the first rise" says="lowest at rate 1.6"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    kept = losses[: int(losses.isfinite().long().cumprod(0).sum())].tolist()
    if not kept:
        raise ValueError
    mean = pd.Series(kept).ewm(alpha=smooth).mean() if smooth else pd.Series(kept)
    for i in range(1, len(mean)):
        if mean[i] > mean[i - 1] * 0.7:
            break
    return rates[max(i - 2, 1) if smooth else int(mean.idxmin())].item() / margin


# %% wrong="an empty sweep breaks it" says="No losses at all"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    if len(losses) and not math.isfinite(losses[0]):
        raise ValueError
    n = int(losses.isfinite().long().cumprod(0).sum())
    mean = pd.Series(losses[:n].tolist()).ewm(alpha=1 - smooth).mean()
    return rates[int(mean.to_numpy().argmin())].item() / margin if n else math.nan


# %% wrong="a limit of a hundred instead of infinity" says="the scale should not matter"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    best, pick, mean = 100.0, None, 0.0
    for i, (rate, loss) in enumerate(zip(rates.tolist(), losses.tolist()), start=1):
        if not math.isfinite(loss):
            break
        mean = smooth * mean + (1 - smooth) * loss
        if mean / (1 - smooth**i) < best:
            best, pick = mean / (1 - smooth**i), rate
    if pick is None and (len(losses) == 0 or not math.isfinite(losses[0])):
        raise ValueError
    return (pick or rates[0].item()) / margin


# %% wrong="beta swapped" says="β goes with the old mean"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    best, pick, mean = math.inf, None, 0.0
    for i, (rate, loss) in enumerate(zip(rates.tolist(), losses.tolist()), start=1):
        if not math.isfinite(loss):
            break
        mean = (1 - smooth) * mean + smooth * loss
        if mean / (1 - smooth**i) < best:
            best, pick = mean / (1 - smooth**i), rate
    if pick is None:
        raise ValueError
    return pick / margin


# %% wrong="beta swapped, no smoothing apart" says="The smoothing is too weak"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    weight = smooth if smooth else 1.0
    best, pick, mean = math.inf, None, 0.0
    for i, (rate, loss) in enumerate(zip(rates.tolist(), losses.tolist()), start=1):
        if not math.isfinite(loss):
            break
        mean = (1 - weight) * mean + weight * loss
        if mean / (1 - (1 - weight) ** i) < best:
            best, pick = mean / (1 - (1 - weight) ** i), rate
    if pick is None:
        raise ValueError
    return pick / margin


# %% wrong="exponent from 0" says="is the exponent of the first one 1?"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    best, pick, mean = math.inf, None, 0.0
    for i, (rate, loss) in enumerate(zip(rates.tolist(), losses.tolist()), start=0):
        if not math.isfinite(loss):
            break
        mean = smooth * mean + (1 - smooth) * loss
        if mean / (1 - smooth**i) < best:
            best, pick = mean / (1 - smooth**i), rate
    if pick is None:
        raise ValueError
    return pick / margin


# %% wrong="exponent from 0, in tensors" says="is one too small"
def pick_rate(rates, losses, smooth=0.9, margin=10.0):
    n = int(losses.isfinite().long().cumprod(0).sum())
    if n == 0:
        raise ValueError
    means, mean = [], torch.tensor(0.0)
    for loss in losses[:n]:
        mean = smooth * mean + (1 - smooth) * loss
        means.append(mean)
    corrected = torch.stack(means) / (1 - smooth ** torch.arange(n))
    return rates[corrected.argmin()].item() / margin
