# %% right="walks the tree"
def replace_head_(model, n_outputs):
    order = {id(m): k for k, m in enumerate(model.modules())}
    found = [
        (order[id(child)], parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear)
    ]
    if not found:
        raise ValueError("no head")
    _, parent, name, old = max(found, key=lambda entry: entry[0])
    for p in model.parameters():
        p.requires_grad = False
    new = nn.Linear(old.in_features, n_outputs).to(old.weight)
    parent.register_module(name, new)
    return model


# %% right="by name, with a loop of getattr"
def replace_head_(model: nn.Module, n_outputs: int):
    linear = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not linear:
        raise ValueError("There is no linear layer inside.")
    *path, last = linear[-1].split(".")
    parent = model
    for step in path:
        parent = getattr(parent, step)
    old = getattr(parent, last)
    for p in model.parameters():
        p.requires_grad_(False)
    setattr(
        parent, last, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype, device=old.weight.device)
    )
    return model


# %% right="set_submodule"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n != ""]
    if len(names) == 0:
        raise ValueError(model)
    old = model.get_submodule(names[-1])
    new = nn.Linear(old.in_features, n_outputs).to(dtype=old.weight.dtype, device=old.weight.device)
    model.set_submodule(names[-1], new)
    for name, p in model.named_parameters():
        p.requires_grad = name.startswith(names[-1] + ".")
    return model


# %% right="through the dict of modules"
def replace_head_(model, n_outputs):
    modules = dict(model.named_modules())
    heads = [name for name in modules if isinstance(modules[name], nn.Linear)]
    if not heads or not heads[-1]:
        raise ValueError("nothing to replace")
    old = modules[heads[-1]]
    parent = modules[".".join(heads[-1].split(".")[:-1])]
    head = nn.Linear(old.in_features, n_outputs, bias=True).to(old.weight.device, old.weight.dtype)
    setattr(parent, heads[-1].split(".")[-1], head)
    model.requires_grad_(False)
    head.requires_grad_(True)
    return model


# %% wrong="knows only ResNets" says="has no attribute 'fc'"
def replace_head_(model, n_outputs):
    model.requires_grad_(False)
    model.fc = nn.Linear(model.fc.in_features, n_outputs)
    return model


# %% wrong="freezes afterwards" says="freeze first"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    model.requires_grad_(False)
    return model


# %% wrong="freezes nothing" says="The rest should be frozen"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="setattr with a path" says="find the parent first"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    old = model.get_submodule(names[-1])
    model._modules[names[-1]] = nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype)
    return model


# %% wrong="works on a copy" says="return that same model"
def replace_head_(model, n_outputs):
    model = copy.deepcopy(model)
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="returns nothing" says="Is the `return` missing"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))


# %% wrong="stacks a second head on top" says="still the old head"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    old = model.get_submodule(names[-1])
    path, _, name = names[-1].rpartition(".")
    head = nn.Linear(old.out_features, n_outputs, dtype=old.weight.dtype)
    model.add_module("new_head", head)
    return model


# %% wrong="the first linear layer" says="still the old head"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[0].rpartition(".")
    old = model.get_submodule(names[0])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="the last child, whatever it is" says="has no attribute 'in_features'"
def replace_head_(model, n_outputs):
    children = list(model.named_children())
    if not children:
        raise ValueError("no head")
    name, old = children[-1]
    model.requires_grad_(False)
    setattr(model, name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="inputs and outputs exchanged" says="should be Linear(6, 3)"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(n_outputs, old.in_features, dtype=old.weight.dtype))
    return model


# %% wrong="resizes the old head in place" says="still the old head"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    old = model.get_submodule(names[-1])
    old.out_features = n_outputs
    old.weight = nn.Parameter(torch.randn(n_outputs, old.in_features, dtype=old.weight.dtype) * 0.01)
    old.bias = nn.Parameter(torch.zeros(n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="the dtype of the old head is lost" says="dtype of the old one"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs))
    return model


# %% wrong="a bias only where the old head had one" says="should have a bias"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    new = nn.Linear(old.in_features, n_outputs, bias=old.bias is not None, dtype=old.weight.dtype)
    setattr(model.get_submodule(path), name, new)
    return model


# %% wrong="freezes before it looks" says="look first, then freeze"
def replace_head_(model, n_outputs):
    model.requires_grad_(False)
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="an IndexError where there is no head" says="IndexError"
def replace_head_(model, n_outputs):
    name = [n for n, m in model.named_modules() if isinstance(m, nn.Linear)][-1]
    path, _, last = name.rpartition(".")
    old = model.get_submodule(name)
    model.requires_grad_(False)
    setattr(model.get_submodule(path), last, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model


# %% wrong="puts the model in evaluation mode and back to training" says="mode of the model"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.eval()
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    setattr(model.get_submodule(path), name, nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype))
    return model.train()


# %% wrong="copies the old head's rows" says="freshly initialised"
def replace_head_(model, n_outputs):
    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n]
    if not names:
        raise ValueError("no head")
    model.requires_grad_(False)
    path, _, name = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    new = nn.Linear(old.in_features, n_outputs, dtype=old.weight.dtype)
    with torch.no_grad():
        rows = min(n_outputs, old.out_features)
        new.weight[:rows] = old.weight[:rows]
    setattr(model.get_submodule(path), name, new)
    return model
