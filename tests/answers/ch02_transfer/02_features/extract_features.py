# %% right="functools.partial as the hook"
from functools import partial


def _store(name, found, module, inputs, output):
    found[name] = output.clone().reshape(len(output), -1)


def extract_features(model, x, names):
    found, handles = {}, []
    modes = {m: m.training for m in model.modules()}
    try:
        for name in names:
            handles.append(model.get_submodule(name).register_forward_hook(partial(_store, name, found)))
        model.eval()
        with torch.no_grad():
            model(x)
    finally:
        for h in handles:
            h.remove()
        for m, mode in modes.items():
            m.training = mode
    return {n: found[n] for n in names}


# %% right="a lambda that binds the name, inference_mode"
def extract_features(model, x, names):
    found = dict.fromkeys(names)
    modules = dict(model.named_modules())
    was = [m.training for m in model.modules()]
    handles = [
        modules[name].register_forward_hook(
            lambda m, i, o, name=name: found.update({name: o.flatten(1).clone()})
        )
        for name in names
    ]
    try:
        model.eval()
        with torch.inference_mode():
            model(x)
    finally:
        [h.remove() for h in handles]
        for m, mode in zip(model.modules(), was):
            m.training = mode
    return found


# %% right="on a deep copy, so that nothing has to be put back"
def extract_features(model, x, names):
    outputs = {}

    def listen(name):
        def hook(_m, _i, output):
            outputs[name] = torch.clone(output).view(output.shape[0], -1)

        return hook

    # The copies take other people's hooks along, so the original runs instead and is tidied by ExitStack.
    import contextlib

    with contextlib.ExitStack() as stack:
        for module in model.modules():
            stack.callback(setattr, module, "training", module.training)
        for name in names:
            stack.callback(model.get_submodule(name).register_forward_hook(listen(name)).remove)
        stack.enter_context(torch.no_grad())
        model.eval()(x)
    return {name: outputs[name] for name in names}


# %% right="a list in the hook, sorted afterwards"
@torch.no_grad()
def extract_features(model, x, names):
    seen = []
    lookup = {m: n for n, m in model.named_modules()}
    training = [m for m in model.modules() if m.training]
    handles = []
    try:
        for name in names:
            module = model.get_submodule(name)
            handles.append(
                module.register_forward_hook(
                    lambda m, args, out: seen.append((lookup[m], out.detach().clone()))
                )
            )
        for m in training:
            m.training = False
        model(x)
    finally:
        for handle in handles:
            handle.remove()
        for m in training:
            m.training = True
    outputs = dict(seen)
    return {name: outputs[name].flatten(start_dim=1) for name in names}


# %% wrong="the loop's variable" says="sees its *last* value"
def extract_features(model, x, names):
    found, handles = {}, []
    for name in names:
        handles.append(
            model.get_submodule(name).register_forward_hook(
                lambda m, i, o: found.update({name: o.flatten(1).clone()})
            )
        )
    model.eval()
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    return found


# %% wrong="no copy" says="Keep a copy"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]

    def listener(name):
        def hook(m, i, o):
            found[name] = o.flatten(1)

        return hook

    try:
        for name in names:
            handles.append(model.get_submodule(name).register_forward_hook(listener(name)))
        model.eval()
        with torch.no_grad():
            model(x)
    finally:
        for h in handles:
            h.remove()
        for m, mode in modes:
            m.training = mode
    return {n: found[n] for n in names}


# %% wrong="detach is no copy" says="Keep a copy"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]

    def listener(name):
        def hook(m, i, o):
            found[name] = o.detach().flatten(1)

        return hook

    for name in names:
        handles.append(model.get_submodule(name).register_forward_hook(listener(name)))
    model.eval()
    model(x)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}


# %% wrong="stores the input" says="Is that the *input*"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]

    def listener(name):
        def hook(m, i, o):
            found[name] = i[0].flatten(1).clone()

        return hook

    for name in names:
        handles.append(model.get_submodule(name).register_forward_hook(listener(name)))
    model.eval()
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}


# %% wrong="a pre-hook" says="positional argument"
def extract_features(model, x, names):
    found = {}
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        model.get_submodule(name).register_forward_pre_hook(hook)
    model.eval()
    with torch.no_grad():
        model(x)
    return found


# %% wrong="hooks are never removed" says="Your hooks are still there"
def extract_features(model, x, names):
    found = {}
    modes = [(m, m.training) for m in model.modules()]
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        model.get_submodule(name).register_forward_hook(hook)
    model.eval()
    with torch.no_grad():
        model(x)
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}


# %% wrong="clears everybody's hooks" says="hooks of other people"
def extract_features(model, x, names):
    found = {}
    modes = [(m, m.training) for m in model.modules()]
    for m in model.modules():
        m._forward_hooks.clear()
    try:
        for name in names:

            def hook(m, i, o, name=name):
                found[name] = o.flatten(1).clone()

            model.get_submodule(name).register_forward_hook(hook)
        model.eval()
        with torch.no_grad():
            model(x)
    finally:
        for m in model.modules():
            m._forward_hooks.clear()
        for m, mode in modes:
            m.training = mode
    return {n: found[n] for n in names}


# %% wrong="model.train() at the end" says="Remember the mode of each module"
def extract_features(model, x, names):
    found, handles = {}, []
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    with torch.no_grad():
        model(x)
    model.train()
    for h in handles:
        h.remove()
    return {n: found[n] for n in names}


# %% wrong="stays in evaluation mode" says="put each module back"
def extract_features(model, x, names):
    found, handles = {}, []
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    return {n: found[n] for n in names}


# %% wrong="in training mode" says="Dropout was at work"
def extract_features(model, x, names):
    found, handles = {}, []
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    return {n: found[n] for n in names}


# %% wrong="with the graph" says="hang on a graph"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    model(x)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}


# %% wrong="no finally" says="clean up in a `finally:` block"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}


# %% wrong="swallows the model's error" says="should pass through"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    try:
        model.eval()
        with torch.no_grad():
            model(x)
    except RuntimeError as error:
        print(error)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return {n: found.get(n) for n in names}


# %% wrong="not flattened" says="Flatten everything"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}


# %% wrong="in the order of the forward pass" says="in the order of `names`"
def extract_features(model, x, names):
    found, handles = {}, []
    modes = [(m, m.training) for m in model.modules()]
    for name in names:

        def hook(m, i, o, name=name):
            found[name] = o.flatten(1).clone()

        handles.append(model.get_submodule(name).register_forward_hook(hook))
    model.eval()
    with torch.no_grad():
        model(x)
    for h in handles:
        h.remove()
    for m, mode in modes:
        m.training = mode
    return found


# %% wrong="layer by layer, as if it were a Sequential" says="KeyError"
def extract_features(model, x, names):
    found = {}
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        for name, layer in model.named_children():
            x = layer(x)
            found[name] = x.flatten(1).clone()
    for m, mode in modes:
        m.training = mode
    return {n: found[n] for n in names}
