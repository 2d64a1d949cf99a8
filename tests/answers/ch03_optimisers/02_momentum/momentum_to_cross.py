# %% right="one minus the friction"
def momentum_to_cross(last_step, width):
    return 1 - last_step / (last_step + width)


# %% right="through the ratio"
def momentum_to_cross(last_step: float, width: float) -> float:
    ratio = width / last_step
    return ratio / (1 + ratio)


# %% right="bisection"
def momentum_to_cross(last_step, width):
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if last_step * middle < width * (1 - middle):
            low = middle
        else:
            high = middle
    return low


# %% wrong="counts the last step" says="You count the last step"
def momentum_to_cross(last_step, width):
    return max(0.0, 1 - last_step / width) if width else 0.0


# %% wrong="the friction" says="That is 1 − μ"
def momentum_to_cross(last_step, width):
    return last_step / (last_step + width)


# %% wrong="a ratio" says="Sum the steps on the plain"
def momentum_to_cross(last_step, width):
    return last_step / width if width else 0.0


# %% wrong="the other ratio" says="That is above 1"
def momentum_to_cross(last_step, width):
    return width / last_step


# %% wrong="the memory" says="That is 1/(1 − μ)"
def momentum_to_cross(last_step, width):
    return 1 + width / last_step


# %% wrong="only the first step, limited to below 1" says="The first step alone crosses"
def momentum_to_cross(last_step, width):
    return 0.9 if width > last_step else width / last_step


# %% wrong="divides by zero at width 0" says="raised ZeroDivisionError"
def momentum_to_cross(last_step, width):
    return 1 / (1 + last_step / width)


# %% wrong="a tensor" says="should give a number"
def momentum_to_cross(last_step, width):
    return torch.tensor(width / (last_step + width))


# %% wrong="forgets to return" says="Is the `return` missing"
def momentum_to_cross(last_step, width):
    mu = width / (last_step + width)


# %% wrong="rounded" says="a μ close to 1"
def momentum_to_cross(last_step, width):
    return min(width / (last_step + width), 0.99999)


# %% wrong="tuned to a step of 1" says="The length of the last step is not heeded"
def momentum_to_cross(last_step, width):
    return width / (1 + width)


# %% right="tensor item float32"
def momentum_to_cross(last_step, width):
    return torch.tensor(width / (last_step + width)).item()


# %% right="exp log"
def momentum_to_cross(last_step, width):
    return -math.expm1(-math.log1p(width / last_step))


# %% wrong="a bit more, to be sure" says="enlarged"
def momentum_to_cross(last_step, width):
    return min(width / (last_step + width) + 1e-6, 1.0) if width else 0.0


# %% wrong="rounded to two digits" says="too small"
def momentum_to_cross(last_step, width):
    return round(width / (last_step + width), 2)


# %% wrong="coarse bisection" says="too close or not close enough"
def momentum_to_cross(last_step, width):
    low, high = 0.0, 1.0
    while high - low > 1e-5:
        mu = (low + high) / 2
        if last_step * mu / (1 - mu) < width:
            low = mu
        else:
            high = mu
    return round(low, 6)
