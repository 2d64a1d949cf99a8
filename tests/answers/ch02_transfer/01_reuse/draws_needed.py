# %% right="from isf"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if not effect:
        raise ValueError("no effect")
    total = stats.norm.isf((1 - level) / 2) + stats.norm.isf(1 - power)
    n = math.ceil(total**2 * sd**2 / effect**2)
    return n if n > 2 else 2


# %% right="NumPy, made an int"
def draws_needed(sd: float, effect: float, power: float = 0.8, level: float = 0.95) -> int:
    if abs(effect) == 0:
        raise ValueError("An effect of 0 is invisible.")
    alpha = 1 - level
    z = stats.norm.ppf([1 - alpha / 2, power]).sum()
    return int(max(2, np.ceil(np.square(z * sd / effect))))


# %% right="the standard library"
def draws_needed(sd, effect, power=0.8, level=0.95):
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    try:
        ratio = (z((1 + level) / 2) + z(power)) * sd / abs(effect)
    except ZeroDivisionError:
        raise ValueError("effect is 0") from None
    return max(2, math.ceil(ratio**2))


# %% right="counts up"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power)
    n = 2
    while abs(effect) < z * sd / math.sqrt(n):
        n += 1
    return n


# %% right="truncates and adds"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0.0:
        raise ValueError("effect is 0")
    z = float(stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power))
    exact = (z * sd / effect) ** 2
    n = int(exact)
    if n < exact:
        n += 1
    return max(n, 2)


# %% wrong="one-sided level" says="one-sided: a two-sided"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf(level) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="rounds" says="round *up*"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, round((z * sd / effect) ** 2))


# %% wrong="without the power" says="every other time"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="no square" says="9 comes out without the square"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil(z * sd / effect))


# %% wrong="power upside down" says="z_power is subtracted"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(1 - power)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="forgets the scatter" says="`sd` counts squared"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z / effect) ** 2))


# %% wrong="the formula of two groups" says="no factor 2"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil(2 * (z * sd / effect) ** 2))


# %% wrong="two-sided power" says="The power is one-sided"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf((1 + power) / 2)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="a float" says="a Python int"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, np.ceil((z * sd / effect) ** 2))


# %% wrong="level and power fixed" says="With a power of 95 %"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    return max(2, math.ceil(7.8489 * (sd / effect) ** 2))


# %% wrong="level fixed" says="With level 0.99"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    return max(2, math.ceil(((1.959964 + stats.norm.ppf(power)) * sd / effect) ** 2))


# %% wrong="negative effects refused" says="raised ValueError"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect <= 0:
        raise ValueError("effect must be positive")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="one draw" says="at least 2 draws"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return math.ceil((z * sd / effect) ** 2)


# %% wrong="two on top" says="it should be 81 draws"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2) + 2)


# %% wrong="divides by zero" says="raised OverflowError"
def draws_needed(sd, effect, power=0.8, level=0.95):
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil(((z * sd) / float(effect)) ** 2))


# %% right="the inverse of erf"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    sides = torch.tensor([level, 2 * power - 1], dtype=torch.float64)
    z = float(math.sqrt(2) * torch.erfinv(sides).sum())
    return max(math.ceil((sd / effect * z) ** 2), 2)


# %% right="bisection"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    low, high = 1, 2  # low is too few, high is enough
    while high * effect**2 < (z * sd) ** 2:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if middle * effect**2 < (z * sd) ** 2:
            low = middle
        else:
            high = middle
    return high


# %% right="scipy.special, and a division that is let fail"
def draws_needed(sd, effect, power=0.8, level=0.95):
    from scipy.special import ndtri

    alpha = 1 - level
    try:
        n = (float(ndtri(1 - alpha / 2) + ndtri(power)) * sd / float(effect)) ** 2
    except ZeroDivisionError:
        raise ValueError("no number of draws shows an effect of 0")
    return 2 if n <= 2 else -int(-n // 1)


# %% wrong="takes sd for a variance" says="it should be 81 draws"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil(z**2 * sd / effect**2))


# %% wrong="int" says="round *up*"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, int((z * sd / effect) ** 2))


# %% wrong="squares one by one" says="first add the two"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z2 = stats.norm.ppf((1 + level) / 2) ** 2 + stats.norm.ppf(power) ** 2
    return max(2, math.ceil(z2 * (sd / effect) ** 2))


# %% wrong="upside down" says="The scatter stands above"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * effect / sd) ** 2))


# %% wrong="takes level for alpha" says="in the place of α"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        raise ValueError("effect is 0")
    z = stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="infinitely many" says="A ValueError is wanted"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0:
        return math.inf
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2))


# %% wrong="refuses no scatter" says="raised ValueError"
def draws_needed(sd, effect, power=0.8, level=0.95):
    if effect == 0 or sd <= 0:
        raise ValueError("sd and effect must not be 0")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2))
