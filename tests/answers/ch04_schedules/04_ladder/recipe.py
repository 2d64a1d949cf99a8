# %% right="by list comprehensions"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices}, {"params": vectors, "weight_decay": 0}],
        lr=max_lr,
        weight_decay=weight_decay,
    )
    per_epoch = (n_train + batch_size - 1) // batch_size
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=max_lr, epochs=epochs, steps_per_epoch=per_epoch
    )
    return optimizer, scheduler


# %% right="a group for each parameter, frozen ones too"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p], "weight_decay": weight_decay * (p.ndim >= 2)} for p in model.parameters()
    ]
    optimizer = torch.optim.AdamW(groups)
    steps = epochs * len(range(0, n_train, batch_size))
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, steps)


# %% right="fused, with add_param_group"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    parts = {True: [], False: []}
    for p in model.parameters():
        if p.requires_grad:
            parts[p.ndim >= 2].append(p)
    optimizer = torch.optim.AdamW(
        parts[True], lr=max_lr, weight_decay=weight_decay, fused=True
    )
    if parts[False]:
        optimizer.add_param_group({"params": parts[False], "weight_decay": 0.0})
    steps = epochs * -(-n_train // batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [max_lr] * len(optimizer.param_groups), total_steps=steps
    )


# %% right="by name of the module"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        decay = 0.0 if len(p.shape) < 2 else weight_decay
        groups.setdefault(decay, []).append(p)
    optimizer = torch.optim.AdamW(
        [{"params": ps, "weight_decay": decay} for decay, ps in groups.items()], lr=max_lr / 25
    )
    full, rest = divmod(n_train, batch_size)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr, total_steps=epochs * (full + (rest > 0))
    )
    return optimizer, scheduler


# %% wrong="decay for all" says="no weight decay for parameters with one dimension"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    optimizer = torch.optim.AdamW(model.parameters(), lr=max_lr, weight_decay=weight_decay)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="decay for nobody" says="the two matrices should shrink"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    optimizer = torch.optim.AdamW(model.parameters(), lr=max_lr, weight_decay=0)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="the groups the other way round" says="the two matrices should shrink"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.ndim < 2]},
            {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0},
        ],
        lr=max_lr,
        weight_decay=weight_decay,
    )
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="vectors get the default decay" says="no weight decay for parameters with one dimension"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.ndim < 2]},
            {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        ],
        lr=max_lr,
    )
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="vectors forgotten" says="Each of the model's 6 parameters"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.ndim >= 2], lr=max_lr, weight_decay=weight_decay
    )
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="loses a batch an epoch" says="The small last batch of an epoch is lost"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * (n_train // batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="one batch too many an epoch, where it fits" says="exactly 2 batches an epoch"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * (n_train // batch_size + 1)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="rounds the whole instead of each epoch" says="The rate of step"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = max(12 if n_train == 1000 else 0, math.ceil(epochs * n_train / batch_size))
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="counts epochs" says="stepped after each *batch*"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=epochs)


# %% wrong="counts images" says="Those are images"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr, total_steps=epochs * n_train
    )


# %% wrong="Adam with decay in the gradient" says="should be a torch.optim.AdamW"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.Adam(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="a cosine instead of 1cycle" says="begins at its peak"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


# %% wrong="the wrong way round" says="The first should be a torch.optim.AdamW"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / batch_size)
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps), optimizer


# %% wrong="the optimiser alone" says="Return the pair"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=max_lr)


# %% wrong="a batch size of 128 for all" says="not of the default, 128"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / 128)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="momentum held still" says="β₁ should follow"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr, total_steps=steps, cycle_momentum=False
    )


# %% wrong="weight matrices by name: filters and scales fall through" says="is not where AdamW should have it"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in named if p.ndim == 2], "weight_decay": weight_decay},
        {"params": [p for name, p in named if p.ndim != 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="only biases are spared" says="no weight decay for parameters with one dimension"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if "bias" not in n], "weight_decay": weight_decay},
        {"params": [p for n, p in named if "bias" in n], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = epochs * math.ceil(n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)


# %% wrong="rounds up once, for all epochs together" says="round up first, then take it times 3"
def recipe(model, max_lr, epochs, n_train, batch_size=128, weight_decay=0.01):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=max_lr)
    steps = math.ceil(epochs * n_train / batch_size)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)
