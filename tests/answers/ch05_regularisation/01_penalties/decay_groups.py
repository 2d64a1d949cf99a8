# %% right="a walk over the modules with a set of seen ones"
def decay_groups(model, weight_decay):
    norm_parameters = set()
    for module in model.modules():
        if isinstance(module, NORMS):
            norm_parameters.update(module.parameters())
    yes = [p for p in model.parameters() if p.ndim > 1 and p not in norm_parameters]
    chosen = set(yes)
    no = [p for p in model.parameters() if p not in chosen]
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]


# %% right="by the name of the owner"
def decay_groups(model, weight_decay):
    modules = dict(model.named_modules())
    groups = [
        {"params": [], "weight_decay": weight_decay},
        {"params": [], "weight_decay": 0.0},
    ]
    for name, p in model.named_parameters():
        owner = modules[name.rpartition(".")[0]]
        spared = p.ndim < 2 or isinstance(owner, NORMS)
        groups[spared]["params"].append(p)
    return groups


# %% right="get_submodule"
def decay_groups(model: nn.Module, weight_decay: float):
    def is_spared(name, p):
        path, _, _ = name.rpartition(".")
        return len(p.shape) < 2 or isinstance(model.get_submodule(path), NORMS)

    spared = [p for name, p in model.named_parameters() if is_spared(name, p)]
    ids = [id(p) for p in spared]
    return [
        {
            "params": [p for p in model.parameters() if id(p) not in ids],
            "weight_decay": weight_decay,
        },
        {"params": spared, "weight_decay": 0.0},
    ]


# %% right="dict of groups, zero as an int"
def decay_groups(model, weight_decay):
    in_norm = {p: True for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    split = {True: [], False: []}
    for p in model.parameters():
        split[p.dim() >= 2 and p not in in_norm].append(p)
    return [
        dict(params=split[True], weight_decay=weight_decay),
        dict(params=split[False], weight_decay=0),
    ]


# %% right="a walk over the modules, sorted at the end"
def decay_groups(model, weight_decay):
    order = {id(p): i for i, p in enumerate(model.parameters())}
    lists, seen = ([], []), set()
    for module in model.modules():
        for p in module.parameters(recurse=False):
            if id(p) not in seen:
                seen.add(id(p))
                lists[int(p.dim() < 2 or isinstance(module, NORMS))].append(p)
    for each in lists:
        each.sort(key=lambda p: order[id(p)])
    return [
        {"params": lists[0], "weight_decay": weight_decay},
        {"params": lists[1], "weight_decay": 0.0},
    ]


# %% wrong="by dimension alone" says="has gains and shifts of two dimensions"
def decay_groups(model, weight_decay):
    return [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]


# %% wrong="by the name bias" says="A gain of batch norm is decayed"
def decay_groups(model, weight_decay):
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if "bias" not in n], "weight_decay": weight_decay},
        {"params": [p for n, p in named if "bias" in n], "weight_decay": 0.0},
    ]


# %% wrong="norms by type, biases decayed" says="A bias is decayed"
def decay_groups(model, weight_decay):
    norm = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    return [
        {
            "params": [p for p in model.parameters() if id(p) not in norm],
            "weight_decay": weight_decay,
        },
        {"params": [p for p in model.parameters() if id(p) in norm], "weight_decay": 0.0},
    ]


# %% wrong="by the name bias, and norms" says="fewer than two dimensions"
def decay_groups(model, weight_decay):
    norm = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    named = list(model.named_parameters())
    spared = [p for n, p in named if n.endswith("bias") or id(p) in norm]
    ids = {id(p) for p in spared}
    return [
        {
            "params": [p for p in model.parameters() if id(p) not in ids],
            "weight_decay": weight_decay,
        },
        {"params": spared, "weight_decay": 0.0},
    ]


# %% wrong="linear weights only" says="is spared, and belongs to no norm"
def decay_groups(model, weight_decay):
    yes = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    ids = {id(p) for p in yes}
    no = [p for p in model.parameters() if id(p) not in ids]
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]


# %% wrong="groups exchanged" says="should be the given one in the first"
def decay_groups(model, weight_decay):
    norm = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    yes = [p for p in model.parameters() if p.dim() >= 2 and id(p) not in norm]
    ids = {id(p) for p in yes}
    no = [p for p in model.parameters() if id(p) not in ids]
    return [{"params": no, "weight_decay": 0.0}, {"params": yes, "weight_decay": weight_decay}]


# %% wrong="lists exchanged" says="A gain of batch norm is decayed"
def decay_groups(model, weight_decay):
    norm = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    yes = [p for p in model.parameters() if p.dim() >= 2 and id(p) not in norm]
    ids = {id(p) for p in yes}
    no = [p for p in model.parameters() if id(p) not in ids]
    return [{"params": no, "weight_decay": weight_decay}, {"params": yes, "weight_decay": 0.0}]


# %% wrong="generators" says="should be a list"
def decay_groups(model, weight_decay):
    return [
        {"params": (p for p in model.parameters() if p.dim() >= 2), "weight_decay": weight_decay},
        {"params": (p for p in model.parameters() if p.dim() < 2), "weight_decay": 0.0},
    ]


# %% wrong="names" says="the parameters themselves"
def decay_groups(model, weight_decay):
    named = list(model.named_parameters())
    return [
        {"params": [n for n, p in named if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [n for n, p in named if p.dim() < 2], "weight_decay": 0.0},
    ]


# %% wrong="copies" says="Each parameter should stand in one list"
def decay_groups(model, weight_decay):
    model = copy.deepcopy(model)
    return [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]


# %% wrong="the second group is everything" says="Each parameter should stand in one list"
def decay_groups(model, weight_decay):
    return [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": list(model.parameters()), "weight_decay": 0.0},
    ]


# %% wrong="no decay key in the second" says='"weight_decay" should be'
def decay_groups(model, weight_decay):
    return [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.dim() < 2]},
    ]


# %% wrong="shared weights twice" says="stands in the lists twice"
def decay_groups(model, weight_decay):
    yes, no = [], []
    for module in model.modules():
        for p in module.parameters(recurse=False):
            (no if p.dim() < 2 or isinstance(module, NORMS) else yes).append(p)
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]


# %% wrong="children only" says="stands in the lists twice"
def decay_groups(model, weight_decay):
    if not list(model.children()):
        model = nn.Sequential(model)
    yes, no = [], []
    for module in model.children():
        for p in module.parameters():
            (no if p.dim() < 2 or isinstance(module, NORMS) else yes).append(p)
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]


# %% wrong="empty groups left out" says="an empty second list"
def decay_groups(model, weight_decay):
    norm = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    yes, no = [], []
    for p in model.parameters():
        (yes if p.dim() >= 2 and id(p) not in norm else no).append(p)
    groups = [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]
    return [g for g in groups if g["params"]]


# %% wrong="frozen ones left out" says="A parameter is missing"
def decay_groups(model, weight_decay):
    norm = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    yes, no = [], []
    for p in model.parameters():
        if p.requires_grad:
            (yes if p.dim() >= 2 and id(p) not in norm else no).append(p)
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]


# %% wrong="a fixed decay" says='"weight_decay" should be'
def decay_groups(model, weight_decay):
    return [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]


# %% wrong="an optimiser" says="This should give a list"
def decay_groups(model, weight_decay):
    return torch.optim.AdamW(model.parameters(), weight_decay=weight_decay)


# %% wrong="a tensor in a list of tensors" says="your code raised"
def decay_groups(model, weight_decay):
    norm = [p for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()]
    yes = [p for p in model.parameters() if p.dim() >= 2 and p not in norm]
    no = [p for p in model.parameters() if p.dim() < 2 or p in norm]
    return [{"params": yes, "weight_decay": weight_decay}, {"params": no, "weight_decay": 0.0}]
