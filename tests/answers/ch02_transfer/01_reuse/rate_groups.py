# %% right="counting down"
def rate_groups(model, lr, factor=0.3):
    layers = [child for child in model.children() if list(child.parameters())]
    groups, rate = [], lr
    for layer in layers[::-1]:
        params = [p for p in layer.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": rate})
        rate *= factor
    return groups


# %% right="from the bottom, exponents reversed"
def rate_groups(model: nn.Module, lr: float, factor: float = 0.3) -> list[dict]:
    layers = [m for m in model.children() if any(True for _ in m.parameters())]
    last = len(layers) - 1
    groups = [
        {"params": [p for p in m.parameters() if p.requires_grad], "lr": lr * factor ** (last - k)}
        for k, m in enumerate(layers)
    ]
    return [group for group in groups if group["params"]]


# %% right="recursive"
def rate_groups(model, lr, factor=0.3):
    def climb(layers, rate):
        if not layers:
            return []
        *rest, top = layers
        trainable = list(filter(lambda p: p.requires_grad, top.parameters()))
        here = [dict(lr=rate, params=trainable)] if trainable else []
        return here + climb(rest, rate * factor)

    return climb([c for c in model.children() if len(list(c.parameters())) > 0], lr)


# %% right="with names for the log"
def rate_groups(model, lr, factor=0.3):
    named = [(name, list(c.parameters())) for name, c in model.named_children()]
    named = [(name, params) for name, params in named if params]
    groups = []
    for depth, (name, params) in enumerate(reversed(named)):
        params = [p for p in params if p.requires_grad]
        if len(params) == 0:
            continue
        groups.insert(0, {"name": name, "params": params, "lr": lr * math.pow(factor, depth)})
    return groups


# %% wrong="the first layer fastest" says="The other way round"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr * factor**k} for k, ps in enumerate(layers)]


# %% wrong="the head is damped too" says="full rate"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr * factor ** (k + 1)} for k, ps in enumerate(reversed(layers))]


# %% wrong="divides" says="fall, not grow"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr / factor**k} for k, ps in enumerate(reversed(layers))]


# %% wrong="counts ReLUs in the exponent" says="The ReLUs are counted"
def rate_groups(model, lr, factor=0.3):
    groups = []
    for k, child in enumerate(reversed(list(model.children()))):
        params = [p for p in child.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": lr * factor**k})
    return groups


# %% wrong="a group for each child" says="A ReLU has no parameters"
def rate_groups(model, lr, factor=0.3):
    return [
        {"params": list(c.parameters()), "lr": lr * factor**k}
        for k, c in enumerate(reversed(list(model.children())))
    ]


# %% wrong="a group for each parameter" says="weight and bias belong together"
def rate_groups(model, lr, factor=0.3):
    params = [p for p in model.parameters() if p.requires_grad]
    return [{"params": [p], "lr": lr * factor**k} for k, p in enumerate(reversed(params))]


# %% wrong="two rates only" says="Each layer has a rate of its own"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if list(c.parameters())]
    return [
        {"params": [p for p in c.parameters() if p.requires_grad], "lr": lr if c is layers[-1] else lr * factor}
        for c in layers
    ]


# %% wrong="weights only" says="biases included"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if list(c.parameters())]
    return [{"params": [c.weight], "lr": lr * factor**k} for k, c in enumerate(reversed(layers))]


# %% wrong="generators" says="should be a list"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if list(c.parameters())]
    return [{"params": c.parameters(), "lr": lr * factor**k} for k, c in enumerate(reversed(layers))]


# %% wrong="frozen ones stay in" says="A frozen parameter should not"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr * factor**k} for k, ps in enumerate(reversed(layers))]


# %% wrong="frozen layers are not counted" says="The frozen layer was not counted"
def rate_groups(model, lr, factor=0.3):
    layers = [[p for p in c.parameters() if p.requires_grad] for c in model.children()]
    layers = [ps for ps in layers if ps]
    return [{"params": ps, "lr": lr * factor**k} for k, ps in enumerate(reversed(layers))]


# %% wrong="an empty group for a frozen layer" says="makes no group"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [
        {"params": [p for p in ps if p.requires_grad], "lr": lr * factor**k}
        for k, ps in enumerate(reversed(layers))
    ]


# %% wrong="a linear ramp" says="the rates should be 0.025"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    n = len(layers)
    return [{"params": ps, "lr": lr * (n - k) / n} for k, ps in enumerate(reversed(layers))]


# %% wrong="only Linear layers" says="one group for each layer"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if isinstance(c, nn.Linear)]
    groups = []
    for k, layer in enumerate(reversed(layers)):
        params = [p for p in layer.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": lr * factor**k})
    return groups


# %% wrong="blocks taken apart" says="a block being one layer"
def rate_groups(model, lr, factor=0.3):
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    groups = []
    for k, layer in enumerate(reversed(layers)):
        params = [p for p in layer.parameters(recurse=False) if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": lr * factor**k})
    return groups


# %% wrong="thaws what it finds" says="A frozen parameter should not"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if list(c.parameters())]
    return [
        {"params": list(c.requires_grad_(True).parameters()), "lr": lr * factor**k}
        for k, c in enumerate(reversed(layers))
    ]


# %% wrong="a dict of rates" says="This should give a list"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if list(c.parameters())]
    return {lr * factor**k: list(c.parameters()) for k, c in enumerate(reversed(layers))}


# %% right="tuples and a chain of rates"
def rate_groups(model, lr, factor=0.3):
    layers = [tuple(c.parameters()) for c in model.children()]
    layers = [ps for ps in layers if ps]
    rates = [lr]
    for _ in layers[1:]:
        rates.insert(0, rates[0] * factor)
    groups = ((tuple(p for p in ps if p.requires_grad), rate) for ps, rate in zip(layers, rates))
    return [{"params": ps, "lr": rate} for ps, rate in groups if ps]


# %% wrong="factor fixed" says="From the first layer to the last"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr * 0.3**k} for k, ps in enumerate(reversed(layers))]


# %% right="by exponential and logarithm"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if next(c.parameters(), None) is not None]
    rates = lr * np.exp(np.arange(len(layers))[::-1] * np.log(factor))
    groups = []
    for layer, rate in zip(layers, rates):
        params = [p for p in layer.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": float(rate)})
    return groups


# %% right="gathered by name"
def rate_groups(model, lr, factor=0.3):
    gathered = {}
    for name, p in model.named_parameters():
        gathered.setdefault(name.partition(".")[0], []).append(p)
    groups = []
    for depth, name in enumerate(sorted(gathered, key=list(gathered).index, reverse=True)):
        trainable = [p for p in gathered[name] if p.requires_grad]
        groups += [{"lr": lr * factor**depth, "params": trainable}] if trainable else []
    return groups


# %% right="other settings come along"
def rate_groups(model, lr, factor=0.3):
    stack, groups = list(model.children()), []
    while stack:
        params = list(stack.pop().parameters())
        if not params:
            continue
        groups.append(
            {"params": [p for p in params if p.requires_grad], "lr": lr, "weight_decay": 0.0, "initial_lr": lr}
        )
        lr = lr * factor
    return list(filter(lambda group: len(group["params"]), groups))


# %% wrong="times k" says="the rates should be 0.025"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr * factor * k} for k, ps in enumerate(reversed(layers))]


# %% wrong="the head is left to somebody else" says="but there are 2"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    return [{"params": ps, "lr": lr * factor**k} for k, ps in enumerate(layers[-2::-1], start=1)]


# %% wrong="the rate falls only where there is a group" says="The frozen layer was not counted"
def rate_groups(model, lr, factor=0.3):
    groups = []
    for child in reversed(list(model.children())):
        params = [p for p in child.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": lr})
            lr *= factor
    return groups


# %% wrong="sets of parameters" says="should be a list"
def rate_groups(model, lr, factor=0.3):
    layers = [c for c in model.children() if list(c.parameters())]
    return [
        {"params": {p for p in c.parameters() if p.requires_grad}, "lr": lr * factor**k}
        for k, c in enumerate(reversed(layers))
    ]


# %% wrong="the model is a module too" says="but there are 4"
def rate_groups(model, lr, factor=0.3):
    layers = [m for m in model.modules() if list(m.parameters())]
    return [{"params": list(m.parameters()), "lr": lr * factor**k} for k, m in enumerate(reversed(layers))]


# %% wrong="rates are tensors" says="This should give a number"
def rate_groups(model, lr, factor=0.3):
    layers = [list(c.parameters()) for c in model.children() if list(c.parameters())]
    groups = []
    for k, ps in enumerate(reversed(layers)):
        ps = [p for p in ps if p.requires_grad]
        if ps:
            groups.append({"params": ps, "lr": torch.tensor(lr * factor**k)})
    return groups
