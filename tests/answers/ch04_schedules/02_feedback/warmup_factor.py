# %% right="min, with warmup=0 apart"
def warmup_factor(step, warmup, start=0.1):
    if warmup == 0:
        return 1.0
    return start + (1 - start) * min(step / warmup, 1)


# %% right="weights of the two ends"
def warmup_factor(step: int, warmup: int, start: float = 0.1) -> float:
    done = min(1.0, step / max(warmup, 1)) if warmup else 1.0
    return (1 - done) * start + done


# %% right="np.interp"
def warmup_factor(step, warmup, start=0.1):
    return float(np.interp(step, [0, warmup], [start, 1.0])) if warmup > 0 else 1


# %% right="counts down from 1"
def warmup_factor(step, warmup, start=0.1):
    left = max(0, warmup - step)
    return 1 - (1 - start) * left / warmup if left else 1.0


# %% wrong="counts from 1" says="Steps count from 0"
def warmup_factor(step, warmup, start=0.1):
    if step + 1 >= warmup:
        return 1.0
    return start + (1 - start) * (step + 1) / warmup


# %% wrong="from zero" says="begins at `start`, not at 0"
def warmup_factor(step, warmup, start=0.1):
    return min(1.0, step / warmup) if warmup else 1.0


# %% wrong="upside down" says="upside down"
def warmup_factor(step, warmup, start=0.1):
    return max(start, 1 - (1 - start) * step / warmup)


# %% wrong="no top" says="should stay at 1"
def warmup_factor(step, warmup, start=0.1):
    return start + (1 - start) * step / warmup


# %% wrong="one step too early" says="one step too early"
def warmup_factor(step, warmup, start=0.1):
    if step >= warmup - 1:
        return 1.0
    return start + (1 - start) * step / (warmup - 1)


# %% wrong="max of start and share" says="The climb should be even"
def warmup_factor(step, warmup, start=0.1):
    return 1.0 if step >= warmup else max(start, step / warmup)


# %% wrong="height 1" says="a height of 1 − start, not 1"
def warmup_factor(step, warmup, start=0.1):
    if warmup == 0:
        return 1.0
    return min(1.0, start + step / warmup)


# %% wrong="geometric" says="The warm-up asked for is linear"
def warmup_factor(step, warmup, start=0.1):
    return 1.0 if step >= warmup else start ** (1 - step / warmup)


# %% wrong="integer division" says="integer division"
def warmup_factor(step, warmup, start=0.1):
    return 1.0 if step >= warmup else start + (1 - start) * (step // warmup)


# %% wrong="divides by zero" says="no warm-up, warmup=0"
def warmup_factor(step, warmup, start=0.1):
    return start + (1 - start) * min(step / warmup, 1)


# %% wrong="start fixed" says="Half-way up from start = 0.5"
def warmup_factor(step, warmup, start=0.1):
    return 1.0 if step >= warmup else 0.1 + 0.9 * step / warmup


# %% wrong="zero start for none" says="LinearLR's at every step"
def warmup_factor(step, warmup, start=0.1):
    if step >= warmup:
        return 1.0
    return round(start + (1 - start) * step / warmup, 2)


# %% wrong="forgets to return" says="Is the `return` missing"
def warmup_factor(step, warmup, start=0.1):
    factor = 1.0 if step >= warmup else start + (1 - start) * step / warmup


# %% wrong="a warm-up of none starts at start" says="Without a warm-up"
def warmup_factor(step, warmup, start=0.1):
    if step == 0:
        return start
    return start + (1 - start) * min(1.0, step / warmup) if warmup else 1.0
