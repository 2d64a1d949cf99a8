# %% right="three loops over plain lists"
def gradient_spread(model, x, y):
    for parameter in model.parameters():
        parameter.grad = None
    loss = nn.CrossEntropyLoss()(model(x), y)
    loss.backward()
    g = model[0].weight.grad.tolist()
    largest = 0.0
    for i in range(len(g)):
        for k in range(len(g)):
            for j in range(len(g[0])):
                difference = abs(g[i][j] - g[k][j])
                if difference > largest:
                    largest = difference
    return largest


# %% right="autograd.grad and the largest distance"
def gradient_spread(model, x, y):
    (g,) = torch.autograd.grad(F.cross_entropy(model(x), y), model[0].weight)
    return torch.cdist(g, g, p=math.inf).max().item()


# %% right="all pairs by broadcasting, with a print; the answer stays a tensor"
def gradient_spread(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    print(f"loss {loss:.3f}")
    loss.backward()
    g = model[0].weight.grad
    return (g[:, None] - g[None, :]).abs().max()


# %% right="a copy of the model, and NumPy"
import copy


def gradient_spread(model, x, y):
    twin = copy.deepcopy(model)
    twin.zero_grad()
    F.cross_entropy(twin(x), y).backward()
    return np.ptp(twin[0].weight.grad.numpy(), axis=0).max()


# %% right="torch.func, without touching .grad"
def gradient_spread(model, x, y):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(values):
        return F.cross_entropy(torch.func.functional_call(model, values, (x,)), y)

    g = torch.func.grad(loss)(parameters)["0.weight"]
    ordered = g.sort(dim=0).values
    return (ordered[-1] - ordered[0]).max().item()


# %% right="subtracts what lay there, and warns"
import warnings


def gradient_spread(model, x, y):
    weight = model[0].weight
    old = 0 if weight.grad is None else weight.grad.clone()
    if weight.grad is not None:
        warnings.warn("there are gradients in the model already")
    F.cross_entropy(model(x), y).backward()
    g = weight.grad - old
    return max((a - b).max().item() for a in g for b in g)


# %% right="cross-entropy by hand, only the first layer cleared"
def gradient_spread(model, x, y):
    model[0].weight.grad = None
    log_probabilities = torch.log_softmax(model(x), dim=-1)
    loss = 0
    for n in range(len(y)):
        loss = loss - log_probabilities[n, y[n]] / len(y)
    loss.backward()
    g = model[0].weight.grad
    return float(torch.max(torch.max(g, 0).values - torch.min(g, 0).values))


# %% wrong="never clears" says="gradients add up"
def gradient_spread(model, x, y):
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="clears after itself, not before" says="earlier backward pass"
def gradient_spread(model, x, y):
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad.clone()
    model.zero_grad()
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="clears between backward and reading" says="'NoneType' object"
def gradient_spread(model, x, y):
    F.cross_entropy(model(x), y).backward()
    model.zero_grad()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="zeroes in place what is not there yet" says="'NoneType' object has no attribute 'zero_'"
def gradient_spread(model, x, y):
    model[0].weight.grad.zero_()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="reads the zeroed gradient" says="cleared"
def gradient_spread(model, x, y):
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    model.zero_grad(set_to_none=False)
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="only against the first unit" says="compare all units with the first"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g - g[0]).abs().max().item()


# %% wrong="only neighbours" says="neighbour"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    return max((b - a).abs().max().item() for a, b in pairwise(model[0].weight.grad))


# %% wrong="the wrong dimension" says="compare along dim 0"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=1) - g.amin(dim=1)).max().item()


# %% wrong="largest minus smallest of all" says="You mixed the inputs"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.max() - g.min()).item()


# %% wrong="pairs in one order, no absolute value" says="absolute"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return max((g[i] - g[k]).max().item() for k in range(len(g)) for i in range(k + 1, len(g)))


# %% wrong="pairs in the other order, no absolute value" says="absolute"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return max((g[i] - g[k]).max().item() for k in range(len(g)) for i in range(k))


# %% wrong="only the first input" says="The spread"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad[:, 0]
    return (g.max() - g.min()).item()


# %% wrong="backward called twice" says="The spread of this small network is off"
def gradient_spread(model, x, y):
    model.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward(retain_graph=True)
    loss.backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="distance instead of largest difference" says="The spread of this small network is off"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return torch.cdist(g, g).max().item()


# %% wrong="the mean over the inputs" says="The spread of this small network is off"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).mean().item()


# %% wrong="the standard deviation" says="The spread of this small network is off"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    return model[0].weight.grad.std(dim=0).max().item()


# %% wrong="weights instead of gradients" says="You compare the weights"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    w = model[0].weight
    return (w.amax(dim=0) - w.amin(dim=0)).max().item()


# %% wrong="the output layer" says="first layer"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[-1].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="the bias" says="The spread of this small network is off"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].bias.grad
    return (g.max() - g.min()).item()


# %% wrong="summed over the batch" says="mean"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y, reduction="sum").backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="softmax before the cross-entropy" says="softmax"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x).softmax(dim=1), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="negative log-likelihood of raw logits" says="The spread of this small network is off"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.nll_loss(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="takes a step first" says="must not change the model"
def gradient_spread(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="all under no_grad" says="does not require grad"
def gradient_spread(model, x, y):
    with torch.no_grad():
        loss = F.cross_entropy(model(x), y)
    loss.backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="backward without parentheses" says="NoneType"
def gradient_spread(model, x, y):
    model.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="logits and labels swapped" says="your code raised"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(y, model(x)).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="one number an input" says="should be one number"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return g.amax(dim=0) - g.amin(dim=0)


# %% wrong="rounded for display" says="off"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return round((g.amax(dim=0) - g.amin(dim=0)).max().item(), 3)


# %% wrong="no return" says="Is the `return` missing?"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    print((g.amax(dim=0) - g.amin(dim=0)).max().item())


# %% wrong="the first few rows only" says="The spread"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x[:32]), y[:32]).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="leaves the model without gradients" says="does not require grad"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="renamed the function" says="'gradient_spread' is not defined"
def spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()


# %% wrong="left the stub's last line" says="not done yet"
def gradient_spread(model, x, y):
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    raise NotImplementedError
