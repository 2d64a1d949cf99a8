# %% right="deep copy of the whole net, then a new last layer"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    old = model_b[-1]
    model_b[-1] = nn.Linear(old.in_features, n_outputs).to(old.weight)
    return model_b


# %% right="layer by layer"
def reuse_layers(model_a: nn.Sequential, n_outputs: int = 1) -> nn.Sequential:
    layers = [copy.deepcopy(layer) for layer in list(model_a)[:-1]]
    weight = model_a[-1].weight
    layers.append(nn.Linear(weight.shape[1], n_outputs).to(weight.device, weight.dtype))
    return nn.Sequential(*layers)


# %% right="children, append"
def reuse_layers(model_a, n_outputs=1):
    model_b = nn.Sequential(*copy.deepcopy(list(model_a.children())[:-1]))
    head = nn.Linear(model_a[-1].in_features, n_outputs, dtype=model_a[-1].weight.dtype)
    model_b.append(head.to(model_a[-1].weight.device))
    return model_b


# %% right="resets the copied head, widened by hand"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    head = model_b[-1]
    head.out_features = n_outputs
    head.weight = nn.Parameter(head.weight.new_empty(n_outputs, head.in_features))
    head.bias = nn.Parameter(head.weight.new_empty(n_outputs))
    head.reset_parameters()
    return model_b


# %% right="a sliced copy, extended"
def reuse_layers(model_a, n_outputs=1):
    with torch.no_grad():
        body = copy.deepcopy(model_a)[:-1]
    last = model_a[-1]
    return body.extend([nn.Linear(last.in_features, n_outputs, True, last.weight.device, last.weight.dtype)])


# %% wrong="no copy" says="they share layers"
def reuse_layers(model_a, n_outputs=1):
    return nn.Sequential(*model_a[:-1], nn.Linear(model_a[-1].in_features, n_outputs))


# %% wrong="a list is no copy" says="they share layers"
def reuse_layers(model_a, n_outputs=1):
    layers = list(model_a.children())[:-1]
    layers.append(nn.Linear(model_a[-1].in_features, n_outputs))
    return nn.Sequential(*layers)


# %% wrong="a shallow copy" says="they share layers"
def reuse_layers(model_a, n_outputs=1):
    body = copy.copy(model_a[:-1])
    return nn.Sequential(*body, nn.Linear(model_a[-1].in_features, n_outputs))


# %% wrong="puts the head into model A" says="That is model A itself"
def reuse_layers(model_a, n_outputs=1):
    model_a[-1] = nn.Linear(model_a[-1].in_features, n_outputs)
    return model_a


# %% wrong="puts the head into model A, returns a copy" says="Model A has lost its own head"
def reuse_layers(model_a, n_outputs=1):
    model_a[-1] = nn.Linear(model_a[-1].in_features, n_outputs)
    return copy.deepcopy(model_a)


# %% wrong="a copy that shares the head" says="That is model A itself"
def reuse_layers(model_a, n_outputs=1):
    return model_a


# %% wrong="nests the body" says="unpack the borrowed"
def reuse_layers(model_a, n_outputs=1):
    return nn.Sequential(copy.deepcopy(model_a[:-1]), nn.Linear(model_a[-1].in_features, n_outputs))


# %% wrong="keeps the old head below" says="but it has 5"
def reuse_layers(model_a, n_outputs=1):
    return nn.Sequential(*copy.deepcopy(model_a), nn.Linear(model_a[-1].out_features, n_outputs))


# %% wrong="wrong width" says="but it is Linear(4, 2)"
def reuse_layers(model_a, n_outputs=1):
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), nn.Linear(model_a[-1].out_features, n_outputs))


# %% wrong="ignores n_outputs" says="but it is Linear(5, 1)"
def reuse_layers(model_a, n_outputs=1):
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), nn.Linear(model_a[-1].in_features, 1))


# %% wrong="forgets the head" says="but it has 3"
def reuse_layers(model_a, n_outputs=1):
    return copy.deepcopy(model_a[:-1])


# %% wrong="keeps the old head where it fits" says="it should be drawn afresh"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    if model_b[-1].out_features != n_outputs:
        old = model_b[-1].weight
        model_b[-1] = nn.Linear(old.shape[1], n_outputs, device=old.device, dtype=old.dtype)
    return model_b


# %% wrong="fresh layers" says="compute something else than model A's"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    for layer in model_b:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    model_b[-1] = nn.Linear(model_a[-1].in_features, n_outputs)
    return model_b


# %% wrong="copies weights, not buffers" says="compute something else than model A's"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    for layer in model_b:
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.reset_running_stats()
    model_b[-1] = nn.Linear(model_a[-1].in_features, n_outputs)
    return model_b


# %% wrong="no bias" says="should have a bias"
def reuse_layers(model_a, n_outputs=1):
    head = nn.Linear(model_a[-1].in_features, n_outputs, bias=False)
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head)


# %% wrong="float32 head on a float64 body" says="dtype of the old one"
def reuse_layers(model_a, n_outputs=1):
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), nn.Linear(model_a[-1].in_features, n_outputs))


# %% wrong="copies parameters into shared buffers" says="they share layers"
def reuse_layers(model_a, n_outputs=1):
    layers = []
    for layer in model_a[:-1]:
        if isinstance(layer, nn.Linear):
            layer = copy.deepcopy(layer)
        layers.append(layer)
    return nn.Sequential(*layers, nn.Linear(model_a[-1].in_features, n_outputs))


# %% wrong="bias as in the old head" says="should have a bias, whatever"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    head = nn.Linear(old.in_features, n_outputs, bias=old.bias is not None).to(old.weight)
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head)


# %% wrong="seeds the head" says="no seed set"
def reuse_layers(model_a, n_outputs=1):
    torch.manual_seed(42)
    old = model_a[-1]
    head = nn.Linear(old.in_features, n_outputs).to(old.weight)
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head)


# %% wrong="forgets to return" says="Is the `return` missing"
def reuse_layers(model_a, n_outputs=1):
    model_b = nn.Sequential(*copy.deepcopy(model_a[:-1]), nn.Linear(model_a[-1].in_features, n_outputs))


# %% right="through the state_dict of a copied skeleton"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    del model_b[-1]
    model_b.load_state_dict({k: v for k, v in model_a[:-1].state_dict().items()})
    old = model_a[-1]
    model_b.append(nn.Linear(old.in_features, n_outputs).type(old.weight.dtype).to(old.weight.device))
    return model_b


# %% wrong="freezes the copies at once" says="flags of the borrowed layers"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    body = copy.deepcopy(model_a[:-1]).requires_grad_(False)
    return nn.Sequential(*body, nn.Linear(old.in_features, n_outputs).to(old.weight))


# %% wrong="the old head, cut to size" says="not freshly initialised"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    head = nn.Linear(old.in_features, n_outputs).to(old.weight)
    if n_outputs == old.out_features and n_outputs > 8:
        nn.init.normal_(head.weight, std=old.weight.detach().abs().mean().item())
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head)


# %% right="through a file in memory"
def reuse_layers(model_a, n_outputs=1):
    import io

    file = io.BytesIO()
    torch.save(model_a[:-1], file)
    file.seek(0)
    body = torch.load(file, weights_only=False)
    return body.append(nn.Linear(model_a[-1].in_features, n_outputs).to(model_a[-1].weight))


# %% right="with names"
def reuse_layers(model_a, n_outputs=1):
    from collections import OrderedDict

    layers = OrderedDict((name, copy.deepcopy(layer)) for name, layer in model_a.named_children())
    name, old = layers.popitem()
    layers[name] = nn.Linear(old.in_features, n_outputs, device=old.weight.device, dtype=old.weight.dtype)
    return nn.Sequential(layers)


# %% right="copy, pop, append"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    last = model_b.pop(-1)
    return model_b.append(nn.Linear(last.in_features, n_outputs).to(last.weight))


# %% wrong="a head of zeros" says="Two calls give equal heads"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    head = nn.Linear(old.in_features, n_outputs).to(old.weight)
    nn.init.zeros_(head.weight)
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head)


# %% wrong="a sigmoid behind the head" says="but it has 5"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    head = nn.Linear(old.in_features, n_outputs).to(old.weight)
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head, nn.Sigmoid())


# %% wrong="thaws what was frozen" says="flags of the borrowed layers"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    body = copy.deepcopy(model_a[:-1]).requires_grad_(True)
    return nn.Sequential(*body, nn.Linear(old.in_features, n_outputs).to(old.weight))


# %% wrong="freezes the teacher for safety" says="which keeps its own"
def reuse_layers(model_a, n_outputs=1):
    old = model_a[-1]
    model_b = nn.Sequential(*copy.deepcopy(model_a[:-1]), nn.Linear(old.in_features, n_outputs).to(old.weight))
    model_a.requires_grad_(False)
    return model_b


# %% wrong="resets the old head, whatever its size" says="but it is Linear(5, 4)"
def reuse_layers(model_a, n_outputs=1):
    model_b = copy.deepcopy(model_a)
    model_b[-1].reset_parameters()
    return model_b


# %% wrong="leaves the activations out" says="but it has 2"
def reuse_layers(model_a, n_outputs=1):
    layers = [copy.deepcopy(layer) for layer in model_a[:-1] if isinstance(layer, nn.Linear)]
    return nn.Sequential(*layers, nn.Linear(model_a[-1].in_features, n_outputs))
