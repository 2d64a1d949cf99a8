# %% right="hooks, removed at the end"
def dead_units(model, batches):
    outputs = {}

    def remember(module, inputs, output):
        best = output.detach().amax(dim=0)
        outputs[module] = torch.maximum(outputs[module], best) if module in outputs else best

    relus = [m for m in model if isinstance(m, nn.ReLU)]
    handles = [m.register_forward_hook(remember) for m in relus]
    mode = model.training
    model.eval()
    with torch.inference_mode():
        for x in batches:
            model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return [(outputs[m] == 0).clone() for m in relus]


# %% right="everything in one batch"
def dead_units(model, batches):
    mode = model.training
    model.train(False)
    hidden = torch.cat(list(batches))
    result = []
    with torch.no_grad():
        for layer in model:
            hidden = layer(hidden)
            if type(layer) is nn.ReLU:
                result.append((hidden == 0).all(0))
    model.train(mode)
    return result


# %% right="a copy of the model, counting how often each unit fires"
import copy


def dead_units(model, batches):
    twin = copy.deepcopy(model).eval()
    positions = [i for i, m in enumerate(twin) if isinstance(m, nn.ReLU)]
    counts = [0] * len(positions)
    for x in batches:
        for k, p in enumerate(positions):
            counts[k] = counts[k] + (twin[: p + 1](x).detach() > 0).sum(dim=0)
    return [c == 0 for c in counts]


# %% right="and-ing masks, a Python loop over units"
@torch.no_grad()
def dead_units(model, batches):
    before = model.training
    model.eval()
    masks = None
    for x in batches:
        now = []
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                now.append(torch.tensor([bool((x[:, j] == 0).all()) for j in range(x.shape[1])]))
        masks = now if masks is None else [a & b for a, b in zip(masks, now)]
    if before:
        model.train()
    return masks


# %% wrong="the last batch only" says="the last batch only"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    with torch.no_grad():
        for x in batches:
            masks = []
            for layer in model:
                x = layer(x)
                if isinstance(layer, nn.ReLU):
                    masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="the first batch only" says="the first batch only"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = next(iter(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="dead on any batch" says="is only quiet"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    masks = {}
    with torch.no_grad():
        for x in batches:
            for i, layer in enumerate(model):
                x = layer(x)
                if isinstance(layer, nn.ReLU):
                    masks[i] = (x == 0).all(dim=0) | masks.get(i, False)
    model.train(mode)
    return list(masks.values())


# %% wrong="any input instead of all" says="is only quiet"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).any(dim=0))
    model.train(mode)
    return masks


# %% wrong="alive instead of dead" says="True where a unit lives"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x > 0).any(dim=0))
    model.train(mode)
    return masks


# %% wrong="a threshold" says="1e-20 is not 0"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x < 1e-8).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="looks at z < 0" says="Look at the output"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.ReLU):
                masks.append((x < 0).all(dim=0))
            x = layer(x)
    model.train(mode)
    return masks


# %% wrong="a share, not a mask" says="One entry a unit"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0).float().mean())
    model.train(mode)
    return masks


# %% wrong="over the wrong dimension" says="One entry a unit"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=1))
    model.train(mode)
    return masks


# %% wrong="floats" says="bool tensors"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0).float())
    model.train(mode)
    return masks


# %% wrong="a mask for every module" says="should have two masks"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="any activation counts" says="Only nn.ReLU is meant"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, (nn.ReLU, nn.LeakyReLU, nn.GELU)):
                masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="every second module is taken for a ReLU" says="dropout and batch norm"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for i, layer in enumerate(model):
            x = layer(x)
            if (
                i % 2 == 1
                and any(isinstance(m, nn.ReLU) for m in model)
                and len(masks) < sum(isinstance(m, nn.ReLU) for m in model)
            ):
                masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="walks through the batches once a layer" says="walked through only once"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    masks = []
    with torch.no_grad():
        for p, layer in enumerate(model):
            if isinstance(layer, nn.ReLU):
                dead = (
                    torch.ones(model[p - 1].out_features, dtype=torch.bool)
                    if isinstance(model[p - 1], nn.Linear)
                    else True
                )
                for x in batches:
                    dead = dead & (model[: p + 1](x) == 0).all(0)
                masks.append(dead)
    model.train(mode)
    return masks


# %% wrong="stays in evaluation mode" says="left in another mode"
def dead_units(model, batches):
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0))
    return masks


# %% wrong="always back to training mode" says="left in another mode"
def dead_units(model, batches):
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0))
    model.train()
    return masks


# %% wrong="counts in training mode" says="Count in evaluation mode"
def dead_units(model, batches):
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0))
    return masks


# %% wrong="a graph is recorded" says="use torch.no_grad()"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    for layer in model:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="hooks left behind" says="Hooks are left behind"
def dead_units(model, batches):
    dead, mode = {}, model.training
    for m in model:
        if isinstance(m, nn.ReLU):
            m.register_forward_hook(lambda m, i, o: dead.__setitem__(m, (o == 0).all(0) & dead.get(m, True)))
    model.eval()
    with torch.no_grad():
        for x in batches:
            model(x)
    model.train(mode)
    return list(dead.values())


# %% wrong="stacks batches that differ in size" says="stack expects each tensor to be equal size"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.stack(list(batches)).flatten(0, 1), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0))
    model.train(mode)
    return masks


# %% wrong="no return" says="Is the `return` missing?"
def dead_units(model, batches):
    mode = model.training
    model.eval()
    x, masks = torch.cat(list(batches)), []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                masks.append((x == 0).all(dim=0))
    model.train(mode)


# %% right="forward pre hooks, context"
def dead_units(model, batches):
    alive = {}
    handles = []
    for name, m in model.named_modules():
        if isinstance(m, nn.ReLU):
            def look(mod, args, name=name):
                (z,) = args
                a = z.gt(0).any(0)
                alive[name] = a if name not in alive else alive[name].logical_or(a)
            handles.append(m.register_forward_pre_hook(look))
    was = model.training
    model.eval()
    with torch.no_grad():
        [model(b) for b in batches]
    [h.remove() for h in handles]
    model.train(was)
    return [alive[k].logical_not() for k in alive]


# %% wrong="a unit that is nearly always 0 counts" says="is rare, not dead"
@torch.no_grad()
def dead_units(model, batches):
    mode = model.training
    model.eval()
    zeros, n = {}, 0
    for x in batches:
        n += len(x)
        for i, layer in enumerate(model):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                zeros[i] = (x == 0).float().sum(0) + zeros.get(i, 0)
    model.train(mode)
    return [z / n > 0.99 for z in zeros.values()]


# %% wrong="clears all hooks, the owner's too" says="A hook that was there before is gone"
def dead_units(model, batches):
    fired = {}

    def hook(m, _, out):
        fired[m] = (out > 0).any(0) | fired.get(m, False)

    for m in model:
        if isinstance(m, nn.ReLU):
            m.register_forward_hook(hook)
    mode = model.training
    model.eval()
    with torch.no_grad():
        for x in batches:
            model(x)
    model.train(mode)
    for m in model:
        m._forward_hooks.clear()
    return [~f for f in fired.values()]


# %% wrong="all parameters frozen, then all thawed" says="frozen should stay so"
def dead_units(model, batches):
    mode = model.training
    model.eval().requires_grad_(False)
    fired = {}
    for x in batches:
        for i, layer in enumerate(model):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                fired[i] = (x > 0).any(0) | fired.get(i, False)
    model.train(mode).requires_grad_(True)
    return [~f for f in fired.values()]


# %% wrong="old gradients deleted" says="A gradient that was there before"
@torch.no_grad()
def dead_units(model, batches):
    mode = model.training
    model.eval()
    model.zero_grad()
    fired = {}
    for x in batches:
        for i, layer in enumerate(model):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                fired[i] = (x > 0).any(0) | fired.get(i, False)
    model.train(mode)
    return [~f for f in fired.values()]


# %% wrong="the model converted to float32" says="The model's dtype has changed"
@torch.no_grad()
def dead_units(model, batches):
    mode = model.training
    model.eval().float()
    fired = {}
    for x in batches:
        x = x.float()
        for i, layer in enumerate(model):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                fired[i] = (x > 0).any(0) | fired.get(i, False)
    model.train(mode)
    return [~f for f in fired.values()]


# %% wrong="remembers the last call in a default argument" says="remembers the first"
@torch.no_grad()
def dead_units(model, batches, fired={}):
    mode = model.training
    model.eval()
    for x in batches:
        for i, layer in enumerate(model):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                fired[i] = (x > 0).any(0) | fired.get(i, False)
    model.train(mode)
    return [~f for f in fired.values()]


# %% wrong="empties the list of batches" says="The batches have changed"
@torch.no_grad()
def dead_units(model, batches):
    mode = model.training
    model.eval()
    fired = {}
    if not isinstance(batches, list):
        batches = list(batches)
    while batches:
        x = batches.pop()
        for i, layer in enumerate(model):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                fired[i] = (x > 0).any(0) | fired.get(i, False)
    model.train(mode)
    return [~f for f in fired.values()]
