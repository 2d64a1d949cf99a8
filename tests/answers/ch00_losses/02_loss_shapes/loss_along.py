# %% right="a deep copy walks"
def loss_along(model, loss_fn, direction, steps):
    import copy

    walker, losses = copy.deepcopy(model), []
    with torch.no_grad():
        for t in steps:
            for moved, weight, d in zip(walker.parameters(), model.parameters(), direction):
                moved.copy_(weight + t * d)
            losses.append(float(loss_fn(walker)))
    return losses


# %% right="through .data, restored after each step"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    for t in steps:
        try:
            for p, d in zip(model.parameters(), direction):
                p.data += float(t) * d
            with torch.no_grad():
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.data.copy_(s)
    return losses


# %% right="one long vector"
@torch.no_grad()
def loss_along(model, loss_fn, direction, steps):
    weights = list(model.parameters())
    start = nn.utils.parameters_to_vector(weights).clone()
    way = torch.cat([d.reshape(-1) for d in direction])
    losses = []
    try:
        for t in steps:
            nn.utils.vector_to_parameters(start + t * way, weights)
            losses.append(loss_fn(model).item())
    finally:
        nn.utils.vector_to_parameters(start, weights)
    return losses


# %% right="old tensors swapped back"
def loss_along(model, loss_fn, direction, steps):
    kept = [(p, p.data) for p in model.parameters()]
    losses = []
    try:
        for t in steps:
            for (p, old), d in zip(kept, direction):
                p.data = old + t * d
            with torch.no_grad():
                losses.append(float(loss_fn(model)))
    finally:
        for p, old in kept:
            p.data = old
    return losses


# %% right="remembers the error and raises it later"
def loss_along(model, loss_fn, direction, steps):
    start = [p.detach().clone() for p in model.parameters()]

    def put(t):
        with torch.no_grad():
            for p, s, d in zip(model.parameters(), start, direction):
                p.copy_(s if t is None else torch.add(s, d * t))

    result = []
    for t in steps:
        put(t)
        try:
            with torch.no_grad():
                result.append(loss_fn(model).item())
        except Exception:
            put(None)
            raise
    put(None)
    return result


# %% wrong="walks on from the last step" says="Each step was taken from where the last one ended"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.detach().clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, d in zip(model.parameters(), direction):
                p += t * d
            losses.append(loss_fn(model).item())
        for p, s in zip(model.parameters(), saved):
            p.copy_(s)
    return losses


# %% wrong="the copy is none" says="Each step was taken from where the last one ended"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.detach() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, s, d in zip(model.parameters(), saved, direction):
                p.copy_(s + t * d)
            losses.append(loss_fn(model).item())
        for p, s in zip(model.parameters(), saved):
            p.copy_(s)
    return losses


# %% wrong="adds and subtracts" says="only up to rounding"
def loss_along(model, loss_fn, direction, steps):
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, d in zip(model.parameters(), direction):
                p += t * d
            losses.append(loss_fn(model).item())
            for p, d in zip(model.parameters(), direction):
                p -= t * d
    return losses


# %% wrong="does not restore" says="After the last step the weights are not what they were"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.detach().clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, s, d in zip(model.parameters(), saved, direction):
                p.copy_(s + t * d)
            losses.append(loss_fn(model).item())
    return losses


# %% wrong="no finally" says="restore them in a `finally`"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.detach().clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, s, d in zip(model.parameters(), saved, direction):
                p.copy_(s + t * d)
            losses.append(loss_fn(model).item())
        for p, s in zip(model.parameters(), saved):
            p.copy_(s)
    return losses


# %% wrong="swallows the error" says="should go on to the caller"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.detach().clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
            return losses


# %% wrong="autograd records" says="Autograd records the losses"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    try:
        for t in steps:
            for p, s, d in zip(model.parameters(), saved, direction):
                p.data.copy_(s + t * d)
            losses.append(loss_fn(model).item())
    finally:
        for p, s in zip(model.parameters(), saved):
            p.data.copy_(s)
    return losses


# %% wrong="tensors in the list" says="should hold Python floats"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model))
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="a tensor" says="This should give a list"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model))
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return torch.stack(losses)


# %% wrong="minus" says="The direction is subtracted"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s - t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="normalises the direction" says="was scaled to length 1"
def loss_along(model, loss_fn, direction, steps):
    length = math.sqrt(sum(d.square().sum().item() for d in direction))
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d / length)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="counts the steps" says="Use the steps given"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in range(len(steps)):
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="only matrices move" says="Only the first parameter moved"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    if p.dim() > 1:
                        p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="moves nothing but a name" says="The weights did not move"
def loss_along(model, loss_fn, direction, steps):
    losses = []
    with torch.no_grad():
        for t in steps:
            for p, d in zip(model.parameters(), direction):
                p = p + t * d
            losses.append(loss_fn(model).item())
    return losses


# %% wrong="gradients thrown away" says="`.grad` of a parameter changed"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    model.zero_grad()
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="scales the direction in place" says="The tensors in `direction` changed"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses, last = [], 1.0
    with torch.no_grad():
        try:
            for t in steps:
                t = float(t)
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + (d * (t / last)))
                losses.append(loss_fn(model).item())
            for d in direction:
                d *= 2
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="autograd left off" says="leaves autograd switched off"
def loss_along(model, loss_fn, direction, steps):
    torch.set_grad_enabled(False)
    saved = [p.clone() for p in model.parameters()]
    losses = []
    try:
        for t in steps:
            for p, s, d in zip(model.parameters(), saved, direction):
                p.copy_(s + t * d)
            losses.append(loss_fn(model).item())
    finally:
        for p, s in zip(model.parameters(), saved):
            p.copy_(s)
    return losses


# %% wrong="state dict is no copy" says="Each step was taken from where the last one ended"
def loss_along(model, loss_fn, direction, steps):
    saved = model.state_dict()
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                model.load_state_dict(saved)
                for p, d in zip(model.parameters(), direction):
                    p.add_(t * d)
                losses.append(loss_fn(model).item())
        finally:
            model.load_state_dict(saved)
    return losses


# %% right="inference mode"
def loss_along(model, loss_fn, direction, steps):
    with torch.inference_mode():
        start = [p.clone() for p in model.parameters()]
        losses = []
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), start, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), start):
                p.copy_(s)
        return losses


# %% wrong="the state's entries, buffers too" says="with BatchNorm"
def loss_along(model, loss_fn, direction, steps):
    state = model.state_dict()
    saved = {k: v.clone() for k, v in state.items()}
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for (k, v), d in zip(state.items(), direction):
                    v.copy_(saved[k] + t * d)
                losses.append(loss_fn(model).item())
        finally:
            model.load_state_dict(saved)
    return losses


# %% wrong="linear modules anywhere" says="a module of its own kind"
def loss_along(model, loss_fn, direction, steps):
    weights = [w for l in model.modules() if isinstance(l, nn.Linear) for w in (l.weight, l.bias)]
    saved = [w.detach().clone() for w in weights]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(weights, saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(weights, saved):
                p.copy_(s)
    return losses


# %% wrong="evaluation mode" says="leave the mode alone"
def loss_along(model, loss_fn, direction, steps):
    model.eval()
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="frozen parameters stay" says="A frozen parameter"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    if p.requires_grad:
                        p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="autograd switched on afterwards" says="switches autograd on"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.clone() for p in model.parameters()]
    losses = []
    torch.set_grad_enabled(False)
    try:
        for t in steps:
            for p, s, d in zip(model.parameters(), saved, direction):
                p.copy_(s + t * d)
            losses.append(loss_fn(model).item())
    finally:
        for p, s in zip(model.parameters(), saved):
            p.copy_(s)
        torch.set_grad_enabled(True)
    return losses


# %% wrong="start remembered for ever" says="as you find them now"
_seen = {}


def loss_along(model, loss_fn, direction, steps):
    if id(model) not in _seen:
        _seen[id(model)] = (model, [p.data.clone() for p in model.parameters()])
    saved = _seen[id(model)][1]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses


# %% wrong="float32 copies" says="not exactly what they were"
def loss_along(model, loss_fn, direction, steps):
    saved = [p.data.float().clone() for p in model.parameters()]
    losses = []
    with torch.no_grad():
        try:
            for t in steps:
                for p, s, d in zip(model.parameters(), saved, direction):
                    p.copy_(s + t * d)
                losses.append(loss_fn(model).item())
        finally:
            for p, s in zip(model.parameters(), saved):
                p.copy_(s)
    return losses
