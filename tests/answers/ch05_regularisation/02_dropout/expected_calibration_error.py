# %% right="a loop over the bins"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% right="bucketize and bincount"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()

    borders = torch.linspace(0, 1, bins + 1, dtype=conf.dtype)[1:-1]
    index = torch.bucketize(conf, borders)
    gaps = torch.bincount(index, weights=hit - conf.double(), minlength=bins)
    return gaps.abs().sum() / len(labels)


# %% right="pandas"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()

    frame = pd.DataFrame({"c": conf.double().numpy(), "h": hit.numpy()})
    frame["b"] = np.ceil(frame.c * bins).clip(1, bins)
    groups = frame.groupby("b").mean()
    weights = frame.groupby("b").size() / len(frame)
    return float((weights * (groups.h - groups.c).abs()).sum())


# %% right="numpy digitize"
def expected_calibration_error(probabilities, labels, bins=15):
    p, y = probabilities.numpy(), labels.numpy()
    conf, ok = p.max(axis=1), p.argmax(axis=1) == y
    which = np.digitize(conf, np.linspace(0, 1, bins + 1), right=True)
    ece = 0
    for b in range(1, bins + 1):
        if (which == b).sum() == 0:
            continue
        ece += abs(ok[which == b].mean() - conf[which == b].mean()) * (which == b).sum()
    return float(ece / len(y))


# %% right="sorted, and split into runs"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()

    index = (conf * bins).ceil().long().clamp(max=bins)
    order = index.argsort()
    counts = torch.unique_consecutive(index[order], return_counts=True)[1].tolist()
    parts = (hit - conf)[order].split(counts)
    return sum(abs(part.sum().item()) for part in parts) / len(labels)


# %% wrong="bins not weighted" says="share of predictions"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    gaps = []
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            gaps.append((hit[m].mean() - conf[m].mean()).abs())
    return torch.stack(gaps).mean()


# %% wrong="signed" says="absolute value"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (conf[m].mean() - hit[m].mean())
    return total


# %% wrong="absolute value outside" says="absolute value belongs in each bin"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    return (hit.mean() - conf.double().mean()).abs()


# %% wrong="largest gap" says="largest gap"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total = max(total, (hit[m].mean() - conf[m].mean()).abs().item())
    return total


# %% wrong="squared" says="You square the gaps"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()) ** 2
    return total


# %% wrong="single predictions" says="over single predictions"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    return (hit - conf).abs().mean()


# %% wrong="not divided by N" says="not divided by N"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.sum() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="nan of empty bins" says="nan"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="closed on the left" says="confidence 1"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf >= b / bins) & (conf < (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="floor, one bin too many" says="border"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    index = (conf * bins).long().clamp(max=bins - 1)
    return sum((hit - conf)[index == b].sum().abs() for b in range(bins)) / len(labels)


# %% wrong="probability of the right class" says="Two bins"
def expected_calibration_error(probabilities, labels, bins=15):
    conf = probabilities[torch.arange(len(labels)), labels]
    hit = (probabilities.argmax(1) == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="all probabilities, not only the largest" says="Two bins"
def expected_calibration_error(probabilities, labels, bins=15):
    conf = probabilities.flatten()
    hit = F.one_hot(labels, probabilities.shape[1]).double().flatten()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="middle of the bin for its confidence" says="Two bins"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - (b + 0.5) / bins).abs()
    return total


# %% wrong="always 15 bins" says="as many as `bins` says"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    bins = 15
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="bins of equal numbers" says="Two bins"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    order = conf.argsort()
    return sum((hit - conf)[part].sum().abs() for part in order.tensor_split(bins)) / len(labels)


# %% wrong="bins between smallest and largest confidence" says="Two bins"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    edges = torch.linspace(conf.min().item(), conf.max().item() + 1e-9, bins + 1)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        m = (conf > low) & (conf <= high)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="class 1 for the confidence" says="raised"
def expected_calibration_error(probabilities, labels, bins=15):
    conf = probabilities[:, 3]
    hit = (probabilities.argmax(1) == labels).double()
    return (hit - conf).abs().mean()


# %% wrong="in place" says="An argument has changed"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    probabilities.round_(decimals=3)
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
    return total


# %% wrong="forgets the return" says="Is the `return` missing"
def expected_calibration_error(probabilities, labels, bins=15):
    conf, pred = probabilities.max(1)
    hit = (pred == labels).double()
    total = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            total += m.double().mean() * (hit[m].mean() - conf[m].mean()).abs()
