# %% right="recursion"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    if step >= first:
        return restart_rate(step - first, peak, first * mult, mult, floor)
    return floor + 0.5 * (peak - floor) * (1 + math.cos(math.pi * step / first))


# %% right="bounds of the rounds, with a half-angle"
def restart_rate(step: int, peak: float, first: int, mult: int = 2, floor: float = 0.0):
    begin, end = 0, first
    while not begin <= step < end:
        begin, end = end, end + (end - begin) * mult
    share = (step - begin) / (end - begin)
    return floor + (peak - floor) * math.cos(math.pi * share / 2) ** 2


# %% right="modulo for equal rounds, itertools for the others"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    if mult == 1:
        t, length = step % first, first
    else:
        for n in itertools.count():
            done = first * (mult**n - 1) // (mult - 1)
            length = first * mult**n
            if step < done + length:
                t = step - done
                break
    weight = (1 + math.cos(t / length * math.pi)) / 2
    return weight * peak + (1 - weight) * floor


# %% right="a logarithm, corrected"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    if mult == 1:
        n, length, begin = step // first, first, step // first * first
    else:
        n = int(math.log(step / first * (mult - 1) + 1, mult))
        for n in (n + 1, n, n - 1):
            length = first * mult**n if n >= 0 else first
            begin = first * (mult**n - 1) // (mult - 1) if n >= 0 else 0
            if begin <= step:
                break
    return floor + (peak - floor) / 2 * (1 + math.cos(math.pi * (step - begin) / length))


# %% right="np.cos, returned as a float"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    T, t = first, step
    while t >= T:
        t, T = t - T, T * mult
    return float(floor + (peak - floor) * 0.5 * (1 + np.cos(np.pi * t / T)))


# %% wrong="rounds of equal length" says="All rounds have the same length"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    t = step % first
    return floor + (peak - floor) * (1 + math.cos(math.pi * t / first)) / 2


# %% wrong="no restarts: the cosine goes back up" says="climbs back along the cosine"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / first)) / 2


# %% wrong="stays at the floor" says="There are no restarts"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    step = min(step, first)
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / first)) / 2


# %% wrong="t from the start of training" says="from the start of the round"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length, done = first, 0
    while step >= done + length:
        done += length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="reaches the floor" says="The floor is reached too early"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / max(1, length - 1))) / 2


# %% wrong="a whole turn" says="nor 2πt/T"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(2 * math.pi * step / length)) / 2


# %% wrong="degrees" says="should have the rates 1 and ½"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(180 * step / length)) / 2


# %% wrong="starts a round late" says="as soon as its length has gone by"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step > length:
        step -= length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="floor ignored" says="`floor` makes no difference"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= mult
    return peak * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="floor added on top" says="a height of peak − floor"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= mult
    return floor + peak * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="floor as a lid" says="not a lid"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= mult
    return max(floor, peak * (1 + math.cos(math.pi * step / length)) / 2)


# %% wrong="logarithm" says="off by one"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    if mult == 1:
        t, length = step % first, first
    else:
        n = int(math.log(step / first * (mult - 1) + 1, mult))
        length = first * mult**n
        t = step - first * (mult**n - 1) / (mult - 1)
    return floor + (peak - floor) * (1 + math.cos(math.pi * t / length)) / 2


# %% wrong="divides by mult minus 1" says="ZeroDivisionError"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    n = 0
    while first * (mult ** (n + 1) - 1) // (mult - 1) <= step:
        n += 1
    t = step - first * (mult**n - 1) // (mult - 1)
    return floor + (peak - floor) * (1 + math.cos(math.pi * t / (first * mult**n))) / 2


# %% wrong="always doubles" says="your rounds always double"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length *= 2
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="grows by addition" says="The third round should last 8 steps"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        step -= length
        length += first * (mult - 1)
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="gives up after ten rounds" says="round 10 begins here"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    for _ in range(9 if mult > 1 else 100):
        if step >= length:
            step -= length
            length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * min(step, length) / length)) / 2


# %% wrong="rounds of one step more" says="Each round is one step too long"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step > length:
        step -= length + 1
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="lengthens before it subtracts" says="subtract the length of the wrong round"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first
    while step >= length:
        length *= mult
        step -= length
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="the first round is longer, too" says="`mult` makes the *further* ones longer"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length = first * mult
    while step >= length:
        step -= length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="the factor is raised to a power each time" says="applied more than once a round"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length, n = first, 0
    while step >= length:
        step -= length
        n += 1
        length *= mult**n
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2


# %% wrong="lengths are multiples of the second round" says="grow by the same amount every time"
def restart_rate(step, peak, first, mult=2, floor=0.0):
    length, n = first, 0
    while step >= length:
        step -= length
        n += 1
        length = first * mult * n
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2
