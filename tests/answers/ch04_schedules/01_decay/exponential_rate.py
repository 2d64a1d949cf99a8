# %% right="a factor for each step"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * (gamma ** (1 / steps_per_epoch)) ** step


# %% right="a loop that multiplies"
def exponential_rate(step: int, initial: float, gamma: float, steps_per_epoch: int = 1) -> float:
    rate, factor = initial, gamma ** (1 / steps_per_epoch)
    for _ in range(step):
        rate *= factor
    return rate


# %% right="through the logarithm"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * math.exp(math.log(gamma) * step / steps_per_epoch)


# %% right="with numpy"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return float(initial * np.power(gamma, step / steps_per_epoch))


# %% right="a tensor of one number"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * torch.tensor(gamma) ** (step / steps_per_epoch)


# %% right="PyTorch's own"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=initial)
    scheduler = lr_scheduler.ExponentialLR(optimizer, gamma ** (1 / steps_per_epoch))
    for _ in range(step):
        optimizer.step()
        scheduler.step()
    return scheduler.get_last_lr()[0]


# %% wrong="one decay for all" says="That is the rate of step 1"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma if step else initial


# %% wrong="times the step" says="γ is to the power of the step"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma * step / steps_per_epoch if step else initial


# %% wrong="counts from one" says="Step 0 should have the initial rate itself"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma ** ((step - 1) / steps_per_epoch)


# %% wrong="decays before the first step" says="Step 0 should have the initial rate itself"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma ** ((step + 1) / steps_per_epoch)


# %% wrong="one step late" says="That is the rate of step 9"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma ** (max(step - 1, 0) / steps_per_epoch)


# %% wrong="gamma as the share that is lost" says="That is (1 − γ)ⁿ"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * (1 - gamma) ** (step / steps_per_epoch)


# %% wrong="gamma as a rate of decay" says="That is e^(−γn)"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * math.exp(-gamma * step / steps_per_epoch)


# %% wrong="a straight line" says="That is a straight line down"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * (1 - (1 - gamma) * step / steps_per_epoch)


# %% wrong="the share only" says="Step 0 should have the initial rate itself"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return gamma ** (step / steps_per_epoch)


# %% wrong="only at the end of an epoch" says="Within an epoch the rate should fall too"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma ** (step // steps_per_epoch)


# %% wrong="ignores steps_per_epoch" says="Half an epoch with γ = 0.81"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma**step


# %% wrong="rounds epochs up" says="That is the rate after a whole epoch"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma ** math.ceil(step / steps_per_epoch)


# %% wrong="a line within the epoch" says="not along a line"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    epoch, rest = divmod(step, steps_per_epoch)
    start = initial * gamma**epoch
    return start + (start * gamma - start) * rest / steps_per_epoch


# %% wrong="factor of a step is gamma / B" says="Half an epoch with γ = 0.81"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * (gamma / steps_per_epoch) ** step


# %% wrong="multiplies the exponent" says="Half an epoch with γ = 0.81"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma ** (step * steps_per_epoch)


# %% wrong="never grows" says="differs from ExponentialLR's"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return min(initial, initial * gamma ** (step / steps_per_epoch))


# %% wrong="a floor of its own" says="differs from ExponentialLR's"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return max(1e-5, initial * gamma ** (step / steps_per_epoch))


# %% wrong="rounded" says="differs from ExponentialLR's"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return round(initial * gamma ** (step / steps_per_epoch), 7)


# %% wrong="prints instead of returning" says="Is the `return` missing"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    print(initial * gamma ** (step / steps_per_epoch))


# %% wrong="a slip of precedence" says="Half an epoch with γ = 0.81"
def exponential_rate(step, initial, gamma, steps_per_epoch=1):
    return initial * gamma**step / steps_per_epoch
