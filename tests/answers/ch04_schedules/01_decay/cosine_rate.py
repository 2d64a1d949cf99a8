# %% right="the formula, with an if"
def cosine_rate(step, steps, peak, low=0.0):
    if step >= steps:
        return low
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * step / steps))


# %% right="numpy"
def cosine_rate(step: int, steps: int, peak: float, low: float = 0.0) -> float:
    angle = np.pi * np.clip(step / steps, 0, 1)
    return float((peak + low) / 2 + (peak - low) / 2 * np.cos(angle))


# %% right="the square of half the angle"
def cosine_rate(step, steps, peak, low=0.0):
    half = math.cos(math.pi / 2 * min(step, steps) / steps)
    return low + (peak - low) * half**2


# %% right="degrees, turned into radians"
def cosine_rate(step, steps, peak, low=0.0):
    angle = math.radians(180 * min(1, step / steps))
    return low + (peak - low) * (1 + math.cos(angle)) / 2


# %% right="torch"
def cosine_rate(step, steps, peak, low=0.0):
    share = torch.tensor(min(step, steps) / steps)
    return low + (peak - low) * (1 + torch.cos(torch.pi * share)) / 2


# %% right="a weighted mean of the ends"
def cosine_rate(step, steps, peak, low=0.0):
    w = (1 + math.cos(math.pi * min(step / steps, 1))) / 2
    return w * peak + (1 - w) * low


# %% wrong="climbs again" says="Past step T the rate climbs again"
def cosine_rate(step, steps, peak, low=0.0):
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * step / steps))


# %% wrong="a whole turn" says="not 2π, and not degrees"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / steps, 1)
    return low + 0.5 * (peak - low) * (1 + math.cos(2 * math.pi * share))


# %% wrong="a quarter turn" says="At step T the wave is in the middle"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / steps, 1)
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi / 2 * share))


# %% wrong="a quarter of a cosine" says="That is a quarter of a turn in all"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / steps, 1)
    return low + (peak - low) * math.cos(math.pi / 2 * share)


# %% wrong="no pi" says="is π missing"
def cosine_rate(step, steps, peak, low=0.0):
    return low + 0.5 * (peak - low) * (1 + math.cos(min(step / steps, 1)))


# %% wrong="degrees" says="and not degrees"
def cosine_rate(step, steps, peak, low=0.0):
    return low + 0.5 * (peak - low) * (1 + math.cos(math.radians(min(step / steps, 1))))


# %% wrong="upside down" says="The wave is upside down"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / steps, 1)
    return low + 0.5 * (peak - low) * (1 - math.cos(math.pi * share))


# %% wrong="half forgotten" says="Step 0 should have the peak"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / steps, 1)
    return low + (peak - low) * (1 + math.cos(math.pi * share))


# %% wrong="one step more" says="here T is `steps`, not one more"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / (steps + 1), 1)
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * share))


# %% wrong="one step less" says="T is `steps`, not one less"
def cosine_rate(step, steps, peak, low=0.0):
    share = min(step / (steps - 1), 1)
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * share))


# %% wrong="a line" says="That is a straight line"
def cosine_rate(step, steps, peak, low=0.0):
    return peak + (low - peak) * min(step / steps, 1)


# %% wrong="ignores low" says="`low` makes no difference"
def cosine_rate(step, steps, peak, low=0.0):
    return 0.5 * peak * (1 + math.cos(math.pi * min(step / steps, 1)))


# %% wrong="full height on top of low" says="at its full height"
def cosine_rate(step, steps, peak, low=0.0):
    return low + 0.5 * peak * (1 + math.cos(math.pi * min(step / steps, 1)))


# %% wrong="low not added" says="`low` is not added"
def cosine_rate(step, steps, peak, low=0.0):
    return 0.5 * (peak - low) * (1 + math.cos(math.pi * min(step / steps, 1)))


# %% wrong="low as a floor" says="With low = 0.1"
def cosine_rate(step, steps, peak, low=0.0):
    return max(low, 0.5 * peak * (1 + math.cos(math.pi * min(step / steps, 1))) - 1e-3 * low)


# %% wrong="past the end it is 0" says="Past step T the rate should stay at `low`"
def cosine_rate(step, steps, peak, low=0.0):
    if step > steps:
        return 0.0
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * step / steps))


# %% wrong="starts anew after the end" says="Past step T the rate climbs again"
def cosine_rate(step, steps, peak, low=0.0):
    if step > steps:
        step = step % steps
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * step / steps))


# %% wrong="forgets to return" says="Is the `return` missing"
def cosine_rate(step, steps, peak, low=0.0):
    rate = low + 0.5 * (peak - low) * (1 + math.cos(math.pi * min(step / steps, 1)))
