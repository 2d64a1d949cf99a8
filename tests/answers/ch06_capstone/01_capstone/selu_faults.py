# %% right="one condition after the other"
def selu_faults(model, x):
    faults = []
    if x.mean().abs() > 0.1 or (x.std() - 1).abs() > 0.1:
        faults.append("inputs")
    for m in model.modules():
        if isinstance(m, nn.Linear):
            target = m.in_features**-0.5
            off = (m.weight.std() - target).abs() > 0.1 * target
            if off or (m.bias is not None and m.bias.abs().max() > 0):
                faults.append("init")
                break
    if any(isinstance(m, ACTIVATIONS) and type(m) is not nn.SELU for m in model.modules()):
        faults.append("activation")
    for name, kinds in (("norm", NORMS), ("dropout", PLAIN_DROPOUT)):
        if any(isinstance(m, kinds) for m in model.modules()):
            faults.append(name)
    return faults


# %% right="a set, sorted at the end"
def selu_faults(model, x):
    order = ["inputs", "init", "activation", "norm", "dropout"]
    found = set()
    if not (-0.1 <= x.mean().item() <= 0.1 and 0.9 <= x.std().item() <= 1.1):
        found.add("inputs")
    for m in model.modules():
        match m:
            case nn.Linear():
                ratio = float(m.weight.detach().std()) * m.in_features**0.5
                if not 0.9 <= ratio <= 1.1:
                    found.add("init")
                if m.bias is not None and torch.count_nonzero(m.bias) > 0:
                    found.add("init")
            case nn.SELU():
                pass
            case _ if isinstance(m, ACTIVATIONS):
                found.add("activation")
            case _ if isinstance(m, NORMS):
                found.add("norm")
            case _ if isinstance(m, PLAIN_DROPOUT):
                found.add("dropout")
    return sorted(found, key=order.index)


# %% right="numpy, population deviation"
def selu_faults(model, x):
    a = x.detach().cpu().numpy()
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    bad_weights = any(
        abs(m.weight.detach().cpu().numpy().std() * np.sqrt(m.in_features) - 1) > 0.1 for m in linears
    )
    bad_bias = any(m.bias is not None and not torch.equal(m.bias, torch.zeros_like(m.bias)) for m in linears)
    kinds = [m for m in model.modules()]
    answers = [
        abs(a.mean()) > 0.1 or abs(a.std() - 1) > 0.1,
        bad_weights or bad_bias,
        any(isinstance(m, tuple(k for k in ACTIVATIONS if k is not nn.SELU)) for m in kinds),
        any(isinstance(m, NORMS) for m in kinds),
        any(isinstance(m, PLAIN_DROPOUT) for m in kinds),
    ]
    names = ["inputs", "init", "activation", "norm", "dropout"]
    return list(itertools.compress(names, answers))


# %% wrong="children only" says="batch norm in a nested part"
def selu_faults(model, x):
    modules = list(model.children())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 or m.bias.any() for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="the mean over layers" says="gains whose mean is right"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    ratios = [m.weight.std().item() * math.sqrt(m.in_features) for m in linears]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": abs(sum(ratios) / len(ratios) - 1) > 0.04
        or any(m.bias is not None and bool(m.bias.any()) for m in linears),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="biases are not looked at" says="biases of 0.2"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 for m in linears),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="the sum of the biases" says="two biases that cancel"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1
            or (m.bias is not None and m.bias.sum() != 0)
            for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="needs a bias" says="a stack without biases"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 or m.bias is None or m.bias.any()
            for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="the deviation only" says="the right width around 0.5"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 or m.bias.any() for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="a signed mean" says="a mean of -0.15"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": x.mean() > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1
            or (m.bias is not None and bool(m.bias.any()))
            for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="variance for deviation" says="has no fault"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(abs(m.weight.std() * m.in_features - 1) > 0.1 or m.bias.any() for m in linears),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="absolute tolerance" says="The case was He's draw"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() - 1 / math.sqrt(m.in_features)) > 0.1 or m.bias.any() for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="fan-out" says="has no fault"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.out_features) - 1) > 0.1 or m.bias.any() for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="alpha dropout is a fault" says="The case was alpha dropout"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 or m.bias.any() for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, DROPOUT_LAYERS) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="one SELU is enough" says="one activation of two"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    acts = [m for m in modules if isinstance(m, ACTIVATIONS)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1
            or (m.bias is not None and bool(m.bias.any()))
            for m in linears
        ),
        "activation": bool(acts) and not any(isinstance(m, nn.SELU) for m in acts),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="everything but SELU and Linear" says="has no fault"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 or m.bias.any() for m in linears
        ),
        "activation": any(not isinstance(m, (nn.SELU, nn.Linear)) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]


# %% wrong="stops at the first fault" says="GELU, layer norm and pixels"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    if abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1:
        return ["inputs"]
    if any(abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1 or m.bias.any() for m in linears):
        return ["init"]
    if any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules):
        return ["activation"]
    if any(isinstance(m, NORMS) for m in modules):
        return ["norm"]
    if any(isinstance(m, PLAIN_DROPOUT) for m in modules):
        return ["dropout"]
    return []


# %% wrong="a dictionary" says="This should give a list"
def selu_faults(model, x):
    return {"inputs": bool(abs(x.mean()) > 0.1)}


# %% wrong="mends what it finds" says="Only look"
def selu_faults(model, x):
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1
            or (m.bias is not None and bool(m.bias.any()))
            for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    if broken["init"]:
        for m in linears:
            nn.init.kaiming_normal_(m.weight, nonlinearity="linear")
    return [k for k, v in broken.items() if v]


# %% wrong="in evaluation mode" says="Only look"
def selu_faults(model, x):
    modules = list(model.eval().modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(
            abs(m.weight.std() * math.sqrt(m.in_features) - 1) > 0.1
            or (m.bias is not None and bool(m.bias.any()))
            for m in linears
        ),
        "activation": any(isinstance(m, ACTIVATIONS) and not isinstance(m, nn.SELU) for m in modules),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [k for k, v in broken.items() if v]
