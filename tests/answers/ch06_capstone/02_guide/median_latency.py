# %% right="statistics.median"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    import statistics

    before = {m: m.training for m in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            for _ in range(warmup):
                model(x)
            taken = []
            for _ in range(runs):
                a = clock()
                model(x)
                b = clock()
                taken.append(b - a)
    finally:
        for m, was in before.items():
            m.training = was
    return statistics.median(taken)


# %% right="one loop, sorted by hand"
@torch.no_grad()
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    before = [m.training for m in model.modules()]
    model.eval()
    times = []
    try:
        for i in range(warmup + runs):
            if i < warmup:
                model(x)
                continue
            start = clock()
            model(x)
            times.append(clock() - start)
    finally:
        for m, was in zip(model.modules(), before):
            m.train(was) if not list(m.children()) else setattr(m, "training", was)
    times.sort()
    middle = runs // 2
    return float(times[middle]) if runs % 2 else (times[middle - 1] + times[middle]) / 2


# %% right="a quantile, and a helper"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    def once():
        begin = clock()
        model(x)
        return clock() - begin

    modes = [(m, m.training) for m in model.modules()]
    for m, _ in modes:
        m.training = False
    try:
        with torch.no_grad():
            for _ in range(warmup):
                model(x)
            times = [once() for _ in range(runs)]
    finally:
        for m, mode in modes:
            m.training = mode
    return torch.tensor(times, dtype=torch.float64).quantile(0.5).item()


# %% wrong="the mean" says="That is the mean"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return sum(times) / runs


# %% wrong="all calls in one, divided" says="That is the mean"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        a = clock()
        for _ in range(runs):
            model(x)
        b = clock()
    for m, mode in modes:
        m.training = mode
    return (b - a) / runs


# %% wrong="the fastest" says="That is the fastest call"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return min(times)


# %% wrong="the middle one without sorting" says="no sorting"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return times[runs // 2]


# %% wrong="times the warm-up too" says="leave the warm-up out"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        times = []
        for _ in range(warmup + runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return float(np.median(times))


# %% wrong="no warm-up" says="should make 7 calls"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return float(np.median(times))


# %% wrong="in training mode" says="in evaluation mode"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    return float(np.median(times))


# %% wrong="with gradients" says="without gradients"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for _ in range(warmup):
        model(x)
    times = []
    for _ in range(runs):
        a = clock()
        model(x)
        times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return float(np.median(times))


# %% wrong="stays in evaluation mode" says="not in training mode again"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    return float(np.median(times))


# %% wrong="all into training mode" says="Note every submodule's mode"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    model.train()
    return float(np.median(times))


# %% wrong="puts back the mode of the whole only" says="Note every submodule's mode"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    mode = model.training
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    model.train(mode)
    return float(np.median(times))


# %% wrong="the lower of the middle two" says="the mean of the middle two"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            for _ in range(warmup):
                model(x)
            times = []
            for _ in range(runs):
                a = clock()
                model(x)
                times.append(clock() - a)
    finally:
        for m, mode in modes:
            m.training = mode
    return torch.tensor(times, dtype=torch.float64).median().item()


# %% wrong="modes lost after an error" says="After an error, too"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = clock()
            model(x)
            times.append(clock() - a)
    for m, mode in modes:
        m.training = mode
    return float(np.median(times))


# %% wrong="swallows the error" says="should reach whoever called"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    times = []
    with torch.no_grad():
        try:
            for _ in range(warmup):
                model(x)
            for _ in range(runs):
                a = clock()
                model(x)
                times.append(clock() - a)
        except RuntimeError:
            pass
    for m, mode in modes:
        m.training = mode
    return float(np.median(times))


# %% wrong="the clock of its own" says="so the median is 3"
def median_latency(model, x, warmup=5, runs=20, clock=None):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for _ in range(warmup):
            model(x)
        times = []
        for _ in range(runs):
            a = time.perf_counter()
            model(x)
            times.append(time.perf_counter() - a)
    for m, mode in modes:
        m.training = mode
    return float(np.median(times))


# %% wrong="a copy of the input in the timed part" says="should get `x` itself"
def median_latency(model, x, warmup=5, runs=20, clock=time.perf_counter):
    modes = [(m, m.training) for m in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            for _ in range(warmup):
                model(x)
            times = []
            for _ in range(runs):
                a = clock()
                model(x.clone())
                times.append(clock() - a)
    finally:
        for m, mode in modes:
            m.training = mode
    return float(np.median(times))
