# %% right="range and a flag list"
def honest_accuracy(model, x, y, batch_size=256):
    flags = {name: module.training for name, module in model.named_modules()}
    try:
        model.eval()
        right = 0
        for start in range(0, x.shape[0], batch_size):
            with torch.no_grad():
                prediction = model(x[start : start + batch_size]).max(1)[1]
            right += int((prediction == y[start : start + batch_size]).sum())
        return right / x.shape[0]
    finally:
        for name, module in model.named_modules():
            module.training = flags[name]


# %% right="a copy is judged"
def honest_accuracy(model, x, y, batch_size=256):
    twin = copy.deepcopy(model).eval()
    with torch.inference_mode():
        scores = [twin(part) for part in torch.split(x, batch_size)]
    return (torch.cat(scores).argmax(-1) == y).float().mean().item()


# %% right="a context manager, train(mode) on each, a loader"
from contextlib import contextmanager


@contextmanager
def evaluating(model):
    before = [m for m in model.modules() if m.training]
    model.eval()
    try:
        yield model
    finally:
        for m in before:
            m.training = True


@torch.no_grad()
def honest_accuracy(model, x, y, batch_size=256):
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=batch_size)
    hits = []
    with evaluating(model):
        for inputs, targets in loader:
            hits += (model(inputs).argmax(1) == targets).tolist()
    return sum(hits) / len(hits)


# %% right="one at a time, and a tensor comes back"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [m.training for m in model.modules()]
    model.eval()
    hits = torch.zeros(len(x))
    try:
        with torch.no_grad():
            for i in range(len(x)):
                hits[i] = model(x[i : i + 1])[0].argmax() == y[i]
    finally:
        for m, mode in zip(model.modules(), modes):
            m.training = mode
    return hits.double().mean()


# %% wrong="no eval" says="it was not in evaluation mode"
def honest_accuracy(model, x, y, batch_size=256):
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    return correct / len(y)


# %% wrong="never back in training" says="put its mode back"
def honest_accuracy(model, x, y, batch_size=256):
    model.eval()
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    return correct / len(y)


# %% wrong="train() afterwards" says="frozen batch norm was thawed"
def honest_accuracy(model, x, y, batch_size=256):
    model.eval()
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    model.train()
    return correct / len(y)


# %% wrong="remembers the model's own mode only" says="frozen batch norm was thawed"
def honest_accuracy(model, x, y, batch_size=256):
    was = model.training
    model.eval()
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    model.train(was)
    return correct / len(y)


# %% wrong="modes remembered after eval" says="put its mode back"
def honest_accuracy(model, x, y, batch_size=256):
    model.eval()
    modes = [(m, m.training) for m in model.modules()]
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    for m, mode in modes:
        m.training = mode
    return correct / len(y)


# %% wrong="modes put back with train(mode), parents last" says="thawed"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    for m, mode in reversed(modes):
        m.train(mode)
    return correct / len(y)


# %% wrong="children one level deep" says="thawed"
def honest_accuracy(model, x, y, batch_size=256):
    own, modes = model.training, [(m, m.training) for m in model.children()]
    model.eval()
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    model.training = own
    for m, mode in modes:
        m.train(mode)
    return correct / len(y)


# %% wrong="no finally" says="After an error in the model"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    with torch.no_grad():
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    for m, mode in modes:
        m.training = mode
    return correct / len(y)


# %% wrong="the error swallowed" says="swallowed it"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    except Exception:
        print("something went wrong")
    for m, mode in modes:
        m.training = mode
    return correct / len(y)


# %% wrong="return in the finally swallows the error" says="swallowed it"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, mode in modes:
            m.training = mode
        return correct / len(y)


# %% wrong="gradients recorded" says="Autograd was recording"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    try:
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, mode in modes:
            m.training = mode
    return correct / len(y)


# %% wrong="all at once" says="more than batch_size samples"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            return (model(x).argmax(1) == y).float().mean().item()
    finally:
        for m, mode in modes:
            m.training = mode


# %% wrong="mean of the batches' means" says="You average over batches"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            parts = zip(x.split(batch_size), y.split(batch_size))
            return float(np.mean([(model(a).argmax(1) == b).float().mean() for a, b in parts]))
    finally:
        for m, mode in modes:
            m.training = mode


# %% wrong="last batch dropped" says="last, smaller batch is left out"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    try:
        with torch.no_grad():
            for k in range(len(x) // batch_size):
                s = slice(k * batch_size, (k + 1) * batch_size)
                correct += (model(x[s]).argmax(1) == y[s]).sum().item()
    finally:
        for m, mode in modes:
            m.training = mode
    return correct / len(y)


# %% wrong="per cent" says="not in per cent"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    correct = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, mode in modes:
            m.training = mode
    return 100 * correct / len(y)


# %% wrong="clears the gradients on the way" says="changed the model's gradients"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    model.zero_grad()
    correct = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, mode in modes:
            m.training = mode
    return correct / len(y)


# %% wrong="freezes the parameters for good" says="requires_grad"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    model.requires_grad_(False)
    correct = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, mode in modes:
            m.training = mode
    return correct / len(y)


# %% wrong="autograd switched on afterwards" says="Autograd was off and is on afterwards"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    torch.set_grad_enabled(False)
    correct = 0
    try:
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    finally:
        torch.set_grad_enabled(True)
        for m, t in modes: m.training = t
    return correct / len(y)


# %% wrong="autograd stays off after an error" says="autograd stays switched off"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    recording = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    correct = 0
    try:
        for a, b in zip(x.split(batch_size), y.split(batch_size)):
            correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, t in modes: m.training = t
    torch.set_grad_enabled(recording)
    return correct / len(y)


# %% wrong="train(), then eval() of the frozen ones" says="not in the mode in which it was before"
def honest_accuracy(model, x, y, batch_size=256):
    frozen = [m for m in model.modules() if not m.training]
    own = model.training
    model.eval()
    c = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                c += (model(a).argmax(1) == b).sum().item()
    finally:
        model.train()
        for m in frozen: m.eval()
    return c / len(y)


# %% wrong="eval() of the children only" says="A submodule was in training mode"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    correct = 0
    try:
        [m.eval() for m in model.children()]
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, t in modes:
            m.training = t
    return correct / len(y)


# %% wrong="modes put back for one kind of error" says="After an error in the model"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    c = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                c += (model(a).argmax(1) == b).sum().item()
    except RuntimeError:
        for m, t in modes: m.training = t
        raise
    for m, t in modes: m.training = t
    return c / len(y)


# %% wrong="an error of its own instead" says="own error should pass as it is"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    c = 0
    try:
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                c += (model(a).argmax(1) == b).sum().item()
    except Exception as e:
        raise RuntimeError("evaluation failed") from e
    finally:
        for m, t in modes: m.training = t
    return c / len(y)


# %% wrong="frozen parameters thawed" says="requires_grad"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]; [p.requires_grad_(False) for p in model.parameters()]
    correct = 0
    try:
        model.eval()
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        [p.requires_grad_(True) for p in model.parameters()]
        for m, t in modes:
            m.training = t
    return correct / len(y)


# %% wrong="the error rate" says="share of wrong answers"
def honest_accuracy(model, x, y, batch_size=256):
    modes = [(m, m.training) for m in model.modules()]
    correct = 0
    try:
        model.eval()
        with torch.no_grad():
            for a, b in zip(x.split(batch_size), y.split(batch_size)):
                correct += (model(a).argmax(1) == b).sum().item()
    finally:
        for m, t in modes:
            m.training = t
    return 1 - correct / len(y)
