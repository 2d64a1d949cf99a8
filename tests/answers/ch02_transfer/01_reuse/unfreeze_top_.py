# %% right="a set of held tensors"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model.children() if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for layer in layers[:cut]:
        for p in layer.parameters():
            p.requires_grad = False
            p.grad = None
    for layer in layers[cut:]:
        for p in layer.parameters():
            p.requires_grad = True
    held = set()
    for group in optimizer.param_groups:
        held.update(group["params"])
    fresh = [p for p in model.parameters() if p.requires_grad and p not in held]
    if fresh:
        optimizer.add_param_group({"params": fresh, "lr": lr})


# %% right="from the top down with a counter"
def unfreeze_top_(model, n_layers, optimizer, lr):
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    new, seen = [], 0
    for layer in reversed(list(model)):
        params = list(layer.parameters())
        if not params:
            continue
        on = seen < n_layers
        seen += 1
        for p in params:
            p.requires_grad_(on)
            if not on:
                p.grad = None
            elif id(p) not in held:
                new.append(p)
    if len(new) > 0:
        optimizer.add_param_group(dict(params=new, lr=lr))


# %% right="freeze all, then thaw"
def unfreeze_top_(model, n_layers, optimizer, lr):
    model.requires_grad_(False)
    layers = [m for m in model if any(p is not None for p in m.parameters())]
    for layer in layers[max(len(layers) - n_layers, 0) :]:
        layer.requires_grad_(True)
    for p in model.parameters():
        if not p.requires_grad:
            p.grad = None
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    fresh = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if fresh:
        optimizer.add_param_group({"params": fresh, "lr": lr})


# %% right="a nested function that asks with is"
def unfreeze_top_(model, n_layers, optimizer, lr):
    def holds(parameter):
        return any(q is parameter for group in optimizer.param_groups for q in group["params"])

    layers = [m for m in model if len(list(m.parameters()))]
    top = layers[-n_layers:] if n_layers > 0 else []
    fresh = []
    for layer in layers:
        trainable = any(layer is t for t in top)
        layer.requires_grad_(trainable)
        if trainable:
            fresh += [p for p in layer.parameters() if not holds(p)]
        else:
            layer.zero_grad()
    if fresh:
        optimizer.add_param_group({"params": fresh, "lr": lr})


# %% wrong="the optimiser is not told" says="The optimiser knows nothing"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()


# %% wrong="adds all trainable ones" says="raised ValueError"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    optimizer.add_param_group({"params": [p for p in model.parameters() if p.requires_grad], "lr": lr})


# %% wrong="in with tensors" says="raised RuntimeError"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    held = [p for g in optimizer.param_groups for p in g["params"]]
    new = [p for p in model.parameters() if p.requires_grad and p not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="counts the ReLUs" says="does not count"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = list(model)
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="counts parameters" says="does not count"
def unfreeze_top_(model, n_layers, optimizer, lr):
    params = list(model.parameters())
    cut = max(0, len(params) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, p in enumerate(params):
        p.requires_grad_(k >= cut)
        if k < cut:
            p.grad = None
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="the bottom instead" says="The bottom was unfrozen"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k < n_layers)
        if k >= n_layers:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="freezes nothing" says="The first layer should be frozen"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    new = []
    for layer in layers[cut:]:
        layer.requires_grad_(True)
        new += [p for p in layer.parameters() if id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="minus zero" says="With n_layers=0 everything should be frozen"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    model.requires_grad_(False)
    model.zero_grad()
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    new = []
    for layer in layers[-n_layers:]:
        layer.requires_grad_(True)
        new += [p for p in layer.parameters() if id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="gradients linger" says="A frozen layer still moves"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="more layers than there are" says="With n_layers beyond"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = len(layers) - n_layers
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    new = []
    for k, layer in enumerate(layers):
        layer.requires_grad_(False)
        layer.zero_grad()
    for layer in layers[cut:]:
        layer.requires_grad_(True)
        new += [p for p in layer.parameters() if id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="a group for each layer" says="one new group"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
        for p in layer.parameters():
            if k >= cut and id(p) not in held:
                optimizer.add_param_group({"params": [p], "lr": lr})


# %% wrong="one rate for all" says="should stay what it was"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new})
        for group in optimizer.param_groups:
            group["lr"] = lr


# %% wrong="the new group without its rate" says="The new group should have the rate"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new})


# %% wrong="a new optimiser" says="The optimiser knows nothing"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr)


# %% wrong="adds the frozen ones too" says="new to the optimiser and trainable"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="clears the list and begins anew" says="should have one new group"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    optimizer.param_groups.clear()
    for layer in layers[cut:]:
        optimizer.add_param_group({"params": list(layer.parameters()), "lr": lr})
    optimizer.add_param_group({"params": [nn.Parameter(torch.zeros(1))], "lr": lr})


# %% wrong="an empty group" says="should change nothing in the optimiser"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="only Linear layers" says="The wrong layers are trainable"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if isinstance(m, nn.Linear)]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for layer in layers[cut:] for p in layer.parameters() if id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="all modules, blocks taken apart" says="blocks as a whole"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% right="drops all gradients"
def unfreeze_top_(model, n_layers, optimizer, lr):
    model.zero_grad(set_to_none=True)
    blocks = [c for c in model.children() if sum(p.numel() for p in c.parameters()) > 0]
    for depth, block in enumerate(blocks[::-1]):
        block.requires_grad_(depth < n_layers)
    known = {p for g in optimizer.param_groups for p in g["params"]}
    new = [p for b in blocks for p in b.parameters() if p.requires_grad and p not in known]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="appends to the list of groups by hand" says="raised KeyError"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.param_groups.append({"params": new, "lr": lr})


# %% wrong="the gradients become zeros" says="A frozen layer still has a gradient"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad(set_to_none=False)
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% right="by the names of the parameters"
def unfreeze_top_(model, n_layers, optimizer, lr):
    names = list(dict.fromkeys(name.split(".")[0] for name, _ in model.named_parameters()))
    top = set(names[max(len(names) - n_layers, 0) :])
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    new = []
    for name, p in model.named_parameters():
        p.requires_grad = name.split(".")[0] in top
        if not p.requires_grad:
            p.grad = None
        elif id(p) not in held:
            new.append(p)
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% right="one layer at a time, the group last"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [c for c in model.children() if next(c.parameters(), None) is not None]
    new = []
    while layers:
        layer = layers.pop()
        if n_layers > 0:
            layer.requires_grad_()
            new.extend(layer.parameters())
        else:
            layer.requires_grad_(False).zero_grad()
        n_layers -= 1
    for group in optimizer.param_groups:
        for p in group["params"]:
            new = [q for q in new if q is not p]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% right="asks the optimiser, and forgives"
def unfreeze_top_(model, n_layers, optimizer, lr):
    def held(p):
        return id(p) in [id(q) for g in optimizer.param_groups for q in g["params"]]

    layers = [c for c in model if len(c.state_dict()) and list(c.parameters())]
    start = 0 if n_layers > len(layers) else len(layers) - n_layers
    frozen, thawed = nn.ModuleList(layers[:start]), nn.ModuleList(layers[start:])
    frozen.requires_grad_(False)
    frozen.zero_grad(set_to_none=True)
    thawed.requires_grad_(True)
    try:
        optimizer.add_param_group({"params": [p for p in thawed.parameters() if not held(p)], "lr": lr})
    finally:
        optimizer.param_groups[:] = [g for g in optimizer.param_groups if g["params"]]


# %% wrong="joins the old group" says="joined the old group"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    optimizer.param_groups[0]["params"] += [
        p for p in model.parameters() if p.requires_grad and id(p) not in held
    ]


# %% wrong="takes frozen ones from the optimiser" says="that the optimiser held are gone"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    for group in optimizer.param_groups:
        group["params"] = [p for p in group["params"] if p.requires_grad]
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="looks in the state" says="raised ValueError"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    new = [p for p in model.parameters() if p.requires_grad and p not in optimizer.state]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="thaws the weights alone" says="last two Linear layers should be trainable"
def unfreeze_top_(model, n_layers, optimizer, lr):
    model.requires_grad_(False)
    model.zero_grad()
    layers = [m for m in model if list(m.parameters())]
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    new = []
    for layer in layers[max(0, len(layers) - n_layers) :]:
        layer.weight.requires_grad_(True)
        if id(layer.weight) not in held:
            new.append(layer.weight)
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="clears through the optimiser" says="A frozen layer still has a gradient"
def unfreeze_top_(model, n_layers, optimizer, lr):
    optimizer.zero_grad()
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    held = {id(p) for g in optimizer.param_groups for p in g["params"]}
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
    new = [p for p in model.parameters() if p.requires_grad and id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})


# %% wrong="tries, and lets the error pass" says="The optimiser knows nothing"
def unfreeze_top_(model, n_layers, optimizer, lr):
    layers = [m for m in model if list(m.parameters())]
    cut = max(0, len(layers) - n_layers)
    for k, layer in enumerate(layers):
        layer.requires_grad_(k >= cut)
        if k < cut:
            layer.zero_grad()
    try:
        optimizer.add_param_group({"params": [p for p in model.parameters() if p.requires_grad], "lr": lr})
    except ValueError:
        pass  # it has them already
