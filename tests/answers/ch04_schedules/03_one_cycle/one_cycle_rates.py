# %% right="step by step"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    def wave(a, b, s):
        return b + (a - b) * (1 + math.cos(math.pi * s)) / 2

    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    rates = []
    for t in range(total_steps):
        if t <= k:
            rates.append(wave(start, max_lr, t / k))
        else:
            rates.append(wave(max_lr, end, (t - k) / (total_steps - 1 - k)))
    return torch.tensor(rates, dtype=torch.float64)


# %% right="asks torch"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    curve = lab.rate_curve(
        lambda o: lr_scheduler.OneCycleLR(
            o,
            max_lr,
            total_steps=total_steps,
            pct_start=pct_start,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
        ),
        total_steps,
        lr=1.0,
        momentum=0.9,
    )
    return torch.tensor(curve.lr.to_numpy(), dtype=torch.float64)


# %% right="sine squared, numpy"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    t = np.arange(total_steps)
    k = pct_start * total_steps - 1
    phase = np.interp(t, [0, k, total_steps - 1], [0, 1, 2])
    height = np.sin(np.pi * phase / 2) ** 2
    floor = np.where(t <= k, max_lr / div_factor, max_lr / div_factor / final_div_factor)
    return torch.from_numpy(floor + (max_lr - floor) * height)


# %% right="two pieces joined"
def one_cycle_rates(max_lr: float, total_steps: int, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    k = pct_start * total_steps - 1
    up = torch.arange(0, math.floor(k) + 1, dtype=torch.float64) / k
    down = torch.arange(math.floor(k) + 1, total_steps, dtype=torch.float64)
    down = (down - k) / (total_steps - 1 - k)
    low = max_lr / div_factor
    up = low + (max_lr - low) * (1 - torch.cos(torch.pi * up)) / 2
    end = low / final_div_factor
    down = end + (max_lr - end) * (1 + torch.cos(torch.pi * down)) / 2
    return torch.cat([up, down])


# %% right="lerp"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    t = torch.arange(total_steps).double()
    k = pct_start * total_steps - 1
    half = lambda s: (1 - (s * math.pi).cos()) / 2
    a, b, c = (
        torch.tensor(v, dtype=torch.float64)
        for v in (max_lr / div_factor, max_lr, max_lr / div_factor / final_div_factor)
    )
    return torch.where(
        t > k, torch.lerp(b, c, half((t - k) / (total_steps - 1 - k))), torch.lerp(a, b, half(t / k))
    )


# %% wrong="end below the peak" says="below the *start*, not below the peak"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, max_lr / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="peak one step late" says="Your peak is at step 4"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="ends one step late" says="ends at the last step"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="straight lines" says="straight line"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = start + (max_lr - start) * t / k
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = max_lr + (end - max_lr) * fall_share
    return torch.where(t <= k, rise, fall)


# %% wrong="the wave runs backwards" says="starts at the peak"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 - torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="falls back to the start only" says="ends far below the start"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="starts at a tenth" says="25"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / 10
    k, end = pct_start * total_steps - 1, max_lr / div_factor / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="float32" says="float64"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="rounds the turn" says="do not round it"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = int(pct_start * total_steps) - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="a step too many" says="The shape should be"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps + 1, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="only falls, a cosine" says="rise first"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + 0 * t
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="turns the shares round" says="the peak should be at step"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = (1 - pct_start) * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="quarter wave" says="half wave should"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = start + (max_lr - start) * torch.sin(math.pi / 2 * t / k)
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="geometric" says="half wave should"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = start * (max_lr / start) ** (t / k)
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="fixed factors" says="a tenth"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / 25
    k, end = pct_start * total_steps - 1, start / 1e4
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="a list" says="gives a list"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall).tolist()


# %% wrong="with a graph" says="carry no graph"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64, requires_grad=True)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)


# %% wrong="wave without the half" says="start should be the peak divided"
def one_cycle_rates(max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    start = max_lr / div_factor
    k, end = pct_start * total_steps - 1, start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) * (1 + torch.cos(math.pi * t / k))
    fall_share = (t - k) / (total_steps - 1 - k)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= k, rise, fall)
