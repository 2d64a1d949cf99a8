# %% right="a fine grid"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(math.log10(0.05), math.log10(20), 500)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    return grid[losses.argmin()].item()


# %% right="scipy"
def fit_temperature(logits, labels):
    from scipy.optimize import minimize_scalar

    z = logits.detach().double()

    def loss(log_t):
        return F.cross_entropy(z / math.exp(log_t), labels).item()

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-4})
    return math.exp(found.x)


# %% right="LBFGS on log T"
def fit_temperature(logits, labels):
    z = logits.detach().double()
    # begin where the logits have a spread of about 1, whatever their scale
    log_t = torch.tensor(math.log(z.std(1).mean()), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], lr=1, max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(z / log_t.exp(), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_t.exp().item()


# %% right="Newton in beta, with halved steps"
def fit_temperature(logits, labels):
    z = logits.detach().double()
    right = z.gather(1, labels[:, None]).mean()

    def loss(beta):
        return F.cross_entropy(beta * z, labels).item()

    beta = 1 / z.std(1).mean().item()
    for _ in range(50):
        p = (beta * z).softmax(1)
        mean = (p * z).sum(1, keepdim=True)
        slope = (mean.mean() - right).item()
        curvature = (p * (z - mean) ** 2).sum(1).mean().item()
        step = slope / max(curvature, 1e-12)
        while beta - step <= 0 or loss(beta - step) > loss(beta) + 1e-15:
            step /= 2
            if abs(step) < 1e-12:
                return float(1 / beta)
        beta -= step
    return float(1 / beta)


# %% right="golden section"
def fit_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    z, golden = logits.detach(), (math.sqrt(5) - 1) / 2
    low, high = math.log(0.05), math.log(20)
    while high - low > 1e-3:
        a, b = high - golden * (high - low), low + golden * (high - low)
        losses = [F.cross_entropy(z / math.exp(point), labels).item() for point in (a, b)]
        low, high = (low, b) if losses[0] < losses[1] else (a, high)
    return math.exp((low + high) / 2)


# %% wrong="1/T" says="That is 1/T"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.4, 1.4, 500)
        losses = torch.stack([F.cross_entropy(logits * t, labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="a coarse grid" says="T lies below 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.arange(0.5, 20, 0.5)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="a tensor" says="Return a Python float"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.4, 1.4, 500)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    return grid[losses.argmin()]


# %% wrong="never below 1" says="T lies below 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(0, 1.4, 500)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="gradient descent that stops short" says="the search stops short"
def fit_temperature(logits, labels):
    t = torch.ones(1, requires_grad=True)
    z = logits.detach()
    optimizer = torch.optim.SGD([t], lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(z / t, labels).backward()
        optimizer.step()
    return t.item()


# %% wrong="by accuracy" says="the best T should be close to 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.3, 1.3, 200)
        right = [((logits / t).argmax(1) == labels).float().mean() for t in grid]
    return grid[torch.stack(right).argmax()].item()


# %% wrong="probabilities divided instead of logits" says="the best T should be close to 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.3, 1.3, 300)
        p = logits.softmax(1)
        losses = torch.stack([F.cross_entropy(p / t, labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="NLL of probabilities without the log" says="the best T should be close to 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.3, 1.3, 300)
        losses = torch.stack([F.nll_loss((logits / t).softmax(1), labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="the worst instead of the best" says="the best T should be close to 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.3, 1.3, 300)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    return grid[losses.argmax()].item()


# %% wrong="the mean confidence equals the accuracy" says="smallest mean cross-entropy"
def fit_temperature(logits, labels):
    z = logits.detach().double()
    accuracy = (z.argmax(1) == labels).double().mean()
    low, high = 0.01, 100.0
    for _ in range(60):
        t = math.sqrt(low * high)
        if (z / t).softmax(1).max(1).values.mean() > accuracy:
            low = t
        else:
            high = t
    return t


# %% wrong="trains in place" says="changes `logits`"
def fit_temperature(logits, labels):
    best, found = math.inf, 1.0
    logits /= 0.05
    last = 0.05
    for t in np.geomspace(0.05, 20, 500):
        logits *= last / t
        last = t
        loss = F.cross_entropy(logits, labels).item()
        if loss < best:
            best, found = loss, float(t)
    logits *= last
    return found


# %% wrong="leaves a gradient" says="`.grad` has changed"
def fit_temperature(logits, labels):
    log_t = torch.zeros((), requires_grad=True)
    with torch.no_grad():
        log_t += math.log(logits.std(1).mean())
    optimizer = torch.optim.LBFGS([log_t], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits / log_t.exp(), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_t.exp().item()


# %% wrong="the constant 1" says="does the search move"
def fit_temperature(logits, labels):
    return 1.0


# %% wrong="one over the spread" says="to within 1 %"
def fit_temperature(logits, labels):
    return (logits.detach().std(1).mean() / 1.79).item()


# %% wrong="through numpy, with a graph" says="requires grad"
def fit_temperature(logits, labels):
    z, y = logits.numpy().astype(float), labels.numpy()
    best, found = math.inf, 1.0
    for t in np.geomspace(0.05, 20, 500):
        s = z / t
        s = s - s.max(1, keepdims=True)
        loss = (np.log(np.exp(s).sum(1)) - s[np.arange(len(y)), y]).mean()
        if loss < best:
            best, found = loss, float(t)
    return found


# %% wrong="softmax twice" says="the best T should be close to 1"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.3, 1.3, 300)
        losses = torch.stack([F.cross_entropy((logits / t).softmax(1), labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="one temperature for each class" says="Return a Python float"
def fit_temperature(logits, labels):
    with torch.no_grad():
        found = []
        for k in range(logits.shape[1]):
            grid = torch.logspace(-1.3, 1.3, 100)
            mine = labels == k
            losses = torch.stack([F.cross_entropy(logits[mine] / t, labels[mine]) for t in grid])
            found.append(grid[losses.argmin()].item())
    return found


# %% wrong="Adam on log T, too few steps" says="the search stops short"
def fit_temperature(logits, labels):
    log_t = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([log_t], lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        F.cross_entropy(logits.detach() / log_t.exp(), labels).backward()
        optimizer.step()
    return log_t.exp().item()


# %% wrong="a grid that ends at 2" says="a range that ends too early"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.linspace(0.05, 2, 400)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    return grid[losses.argmin()].item()


# %% wrong="a tensor where the loop begins, a float where it ends" says="This should give a float"
def fit_temperature(logits, labels):
    with torch.no_grad():
        grid = torch.logspace(-1.4, 1.4, 500)
        losses = torch.stack([F.cross_entropy(logits / t, labels) for t in grid])
    best = grid[losses.argmin()]
    return best.item() if best < 2 else best
