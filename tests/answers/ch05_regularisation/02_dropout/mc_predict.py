# %% right="on a copy of the model"
def mc_predict(model, x, passes=100):
    import copy

    twin = copy.deepcopy(model).eval()
    for module in twin.modules():
        if isinstance(module, DROPOUT_LAYERS):
            module.train()
    with torch.inference_mode():
        probs = torch.stack([torch.softmax(twin(x), 1) for _ in range(passes)])
    return probs.mean(0).clone(), probs.var(0, correction=0).sqrt()


# %% right="all passes in one batch"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()

    with torch.no_grad():
        many = x.repeat(passes, *[1] * (x.dim() - 1))
        p = model(many).softmax(1).view(passes, len(x), -1)
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% right="running sums, in float64"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()

    total = squares = 0.0
    try:
        with torch.no_grad():
            for _ in range(passes):
                p = model(x).softmax(dim=1).double()
                total = total + p
                squares = squares + p**2
    finally:
        for m, mode in modes:
            m.training = mode
    mean = total / passes
    return mean, (squares / passes - mean**2).clamp(min=0).sqrt()


# %% right="modes by name, and detach"
def mc_predict(model, x, passes=100):
    modes = {name: m.training for name, m in model.named_modules()}
    for m in model.modules():
        m.training = isinstance(m, DROPOUT_LAYERS)
    p = torch.stack([model(x).log_softmax(1).exp().detach() for _ in range(passes)])
    for name, m in model.named_modules():
        m.training = modes[name]
    mean = p.mean(0)
    return mean, ((p - mean) ** 2).mean(0).sqrt()


# %% right="grad switched off by hand and on again"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()

    was = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    p = torch.stack([model(x).softmax(1) for _ in range(passes)])
    torch.set_grad_enabled(was)
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="averages the logits" says="You average the logits"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        z = torch.stack([model(x) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return z.mean(0).softmax(1), z.softmax(2).std(0, correction=0)


# %% wrong="dropout stays off" says="All passes agree"
def mc_predict(model, x, passes=100):
    model.eval()
    with torch.no_grad():
        p = torch.stack([model(x).softmax(1) for _ in range(passes)])
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="the whole model in training mode" says="running statistics"
def mc_predict(model, x, passes=100):
    was = model.training
    model.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    model.train(was)
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="the model is left in evaluation mode" says="The model was in training mode"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    model.eval()
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="dropout is left on" says="The model was in evaluation mode"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="one mode for all afterwards" says="Afterwards each should be put back into its own mode"
def mc_predict(model, x, passes=100):
    was = model.training
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    model.train(was)
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="restores with .train, parents last" says="Afterwards each should be put back into its own mode"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in reversed(modes):
        m.train(mode)
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="divides by passes - 1" says="One pass has a deviation of 0"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0)


# %% wrong="the variance" says="That is the variance"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.var(0, correction=0)


# %% wrong="the standard error" says="Do not divide by √passes"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, correction=0) / passes**0.5


# %% wrong="softmax over the images" says="should sum to 1"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([model(x).softmax(0) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="no softmax" says="should sum to 1"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([model(x) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="softmax over the passes" says="should sum to 1"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([model(x) for _ in range(passes)]).softmax(0)
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="a graph" says="carry a graph"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    p = torch.stack([model(x).softmax(1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="the mean only" says="two tensors"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0)


# %% wrong="all passes" says="The shape should be"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p, p.std(0)


# %% wrong="direct children only" says="Dropout stays off in the passes"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m in model.children():
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="nn.Dropout only" says="AlphaDropout stays off in the passes"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, nn.Dropout):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="only batch norm in evaluation mode" says="Something other than dropout was in training mode during the passes: Linear, ReLU"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.train()
    for m, _ in modes:
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.eval()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="leaves the others in their mode" says="running statistics"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="one pass, used for all" says="All"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = model(x).softmax(1).expand(passes, -1, -1)
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="exp by hand" says="overflow"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        e = torch.stack([model(x).exp() for _ in range(passes)])
    p = e / e.sum(2, keepdim=True)
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="freezes the parameters" says="are frozen for good: leave"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    for q in model.parameters():
        q.requires_grad = False
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="autograd left off" says="autograd"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    torch.set_grad_enabled(False)
    p = torch.stack([model(x).softmax(1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% right="Welford's running moments"
def mc_predict(model, x, passes=100):
    modes = [m.training for m in model.modules()]
    model.eval()
    for m in model.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.training = True
    mean = squares = 0.0
    with torch.no_grad():
        for k in range(1, passes + 1):
            p = F.softmax(model(x), dim=1)
            step = p - mean
            mean = mean + step / k
            squares = squares + step * (p - mean)
    for m, mode in zip(model.modules(), modes):
        m.training = mode
    return mean, (squares / passes).sqrt()


# %% wrong="always a hundred passes" says="divide the variance by"
def mc_predict(model, x, passes=100):
    import copy

    twin = copy.deepcopy(model).eval()
    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([twin(x).softmax(1) for _ in range(100)])
    return p.mean(0), p.std(0, correction=0)


# %% wrong="the parts that hold a dropout layer are switched on" says="Something other than dropout was in training mode"
def mc_predict(model, x, passes=100):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    for m, _ in modes:
        if any(isinstance(child, DROPOUT_LAYERS) for child in m.children()) and m is not model:
            m.train()
        elif isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in modes:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="every module evaluates afterwards but those of dropout" says="The model was in training mode"
def mc_predict(model, x, passes=100):
    was = [(m, m.training) for m in model.modules() if isinstance(m, DROPOUT_LAYERS)]
    model.eval()
    for m, _ in was:
        m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    for m, mode in was:
        m.training = mode
    return p.mean(0), p.std(0, unbiased=False)


# %% wrong="restores the children of the model only" says="Afterwards each should be put back into its own mode"
def mc_predict(model, x, passes=100):
    was, modes = model.training, [(m, m.training) for m in model.children()]
    model.eval()
    for m in model.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    with torch.no_grad():
        p = torch.stack([F.softmax(model(x), dim=-1) for _ in range(passes)])
    model.training = was
    for m, mode in modes:
        m.train(mode)
    return p.mean(0), p.std(0, unbiased=False)
