# %% right="min with a key"
def fair_race(loss, start, rules, rates, steps):
    def end(make, rate):
        w = nn.Parameter(start.detach().clone())
        opt = make([w], rate)
        for _ in range(steps):
            w.grad = None
            loss(w).backward()
            opt.step()
        with torch.no_grad():
            value = float(loss(w))
        return math.inf if math.isnan(value) or math.isinf(value) else value

    result = {}
    for name in rules:
        pairs = [(float(rate), end(rules[name], rate)) for rate in rates]
        result[name] = min(pairs, key=lambda pair: pair[1])
    return result


# %% right="running best"
def fair_race(loss, start, rules, rates, steps):
    out = {}
    for name, make in rules.items():
        best = (float(rates[0]), math.inf)
        for rate in rates:
            w = torch.empty_like(start).copy_(start).detach().requires_grad_(True)
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                value = loss(w)
                value.backward()
                opt.step()
            final = loss(w).item()
            if math.isfinite(final) and final < best[1]:
                best = (float(rate), final)
        out[name] = best
    return out


# %% right="with a closure, and numpy"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        finals = []
        for rate in rates:
            w = start.detach().clone()
            w.requires_grad = True
            opt = make([w], rate)

            def closure(w=w, opt=opt):
                opt.zero_grad()
                value = loss(w)
                value.backward()
                return value

            for _ in range(steps):
                opt.step(closure)
            finals.append(loss(w.detach()).item())
        finals = np.nan_to_num(np.array(finals), nan=np.inf, posinf=np.inf, neginf=np.inf)
        k = int(np.argmin(finals))
        table[name] = (float(rates[k]), float(finals[k]))
    return table


# %% wrong="start not copied" says="changed: walk on a copy"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="one copy for all rates" says="fresh copy"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        w = start.detach().clone().requires_grad_()
        for rate in rates:
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="gradients add up" says="Old gradients add up"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="loss before the last step" says="before the last step"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            value = loss(w)
            for _ in range(steps):
                opt.zero_grad()
                value = loss(w)
                value.backward()
                opt.step()
            value = value.item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="nan wins" says="1e9 ends in nan"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        best = None
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            if best is None or value < best[1]:
                best = (float(rate), value)
        table[name] = best
    return table


# %% wrong="one shared rate" says="own best rate for each rule"
def fair_race(loss, start, rules, rates, steps):
    ends = {}
    for name, make in rules.items():
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends[name, rate] = value if math.isfinite(value) else math.inf
    best = min(rates, key=lambda r: min(ends[name, r] for name in rules))
    return {name: (float(best), ends[name, best]) for name in rules}


# %% wrong="the last of equals" says="of equally good rates the first wins"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        best = (float(rates[0]), math.inf)
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            if math.isfinite(value) and value <= best[1]:
                best = (float(rate), value)
        table[name] = best
    return table


# %% wrong="loss and rate swapped" says="The first of the two is the rate"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append((value if math.isfinite(value) else math.inf, float(rate)))
        table[name] = min(ends, key=lambda e: e[0])
    return table


# %% wrong="tensors in the table" says="should be Python floats"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            ends.append(loss(w).detach().nan_to_num(math.inf))
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="the name of the winner only" says="This should give a dict"
def fair_race(loss, start, rules, rates, steps):
    best = None
    for name, make in rules.items():
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            if math.isfinite(value) and (best is None or value < best[0]):
                best = (value, name)
    return best[1] if best else None


# %% wrong="the lowest loss on the way" says="judged by where the walk"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            lowest = loss(w).item()
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
                lowest = min(lowest, loss(w).item())
            final = loss(w).item()
            ends.append(lowest if math.isfinite(final) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="always float32" says="dtype of `start`"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().float().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% right="stops when it is lost"
def fair_race(loss, start, rules, rates, steps):
    def walk(make, rate):
        w = nn.Parameter(start.detach().clone())
        opt = make([w], rate)
        for _ in range(steps):
            value = loss(w)
            if not bool(value.isfinite()):
                return math.inf
            (w.grad,) = torch.autograd.grad(value, w)
            opt.step()
        end = float(loss(w.data))
        return end if abs(end) < math.inf else math.inf

    return {
        name: min(((float(r), walk(make, r)) for r in rates), key=lambda pair: pair[1])
        for name, make in rules.items()
    }


# %% wrong="minus infinity wins" says="minus infinity counts as math.inf"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(math.inf if math.isnan(value) else value)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="walks in float64" says="The walk should have the dtype"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().double().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="the rate as it is in the list" says="should be a float, also"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (rates[k], ends[k])
    return table


# %% wrong="the smallest of equal rates" says="the first in the list should win"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = min(range(len(rates)), key=lambda i: (ends[i], rates[i]))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="inf is left out, nothing is left" says="no rate that stays finite"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = {}
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            if math.isfinite(value):
                ends[rate] = value
        best = min(ends, key=ends.get)
        table[name] = (float(best), ends[best])
    return table


# %% wrong="flattens the start" says="IndexError"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().flatten().requires_grad_()
            opt = make([w], rate)
            for _ in range(steps):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table


# %% wrong="never more than 12 steps" says="A final loss is off"
def fair_race(loss, start, rules, rates, steps):
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            opt = make([w], rate)
            for _ in range(min(steps, 12)):
                opt.zero_grad()
                loss(w).backward()
                opt.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        k = ends.index(min(ends))
        table[name] = (float(rates[k]), ends[k])
    return table
