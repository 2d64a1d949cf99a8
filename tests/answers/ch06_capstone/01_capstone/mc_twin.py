# %% right="a subclass whose train is deaf"
def mc_twin(model):
    def deaf(kind):
        class Deaf(kind):
            def train(self, mode=True):
                return super().train(True)

        return Deaf

    def swap(module):
        for name, child in module.named_children():
            if isinstance(child, DROPOUT_LAYERS):
                setattr(module, name, deaf(type(child))(child.p))
            else:
                swap(child)

    twin = copy.deepcopy(model)
    swap(twin)
    return twin.eval()


# %% right="functional layers"
class AlwaysDropout(nn.Module):
    def __init__(self, p, alpha):
        super().__init__()
        self.p, self.f = p, F.alpha_dropout if alpha else F.dropout

    def forward(self, x):
        return self.f(x, self.p, training=True)


def mc_twin(model):
    twin = copy.deepcopy(model)
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.AlphaDropout):
                setattr(parent, name, AlwaysDropout(child.p, True))
            elif isinstance(child, DROPOUT_LAYERS):
                setattr(parent, name, AlwaysDropout(child.p, False))
    twin.eval()
    return twin


# %% right="train shadowed on the object"
def mc_twin(model):
    twin = copy.deepcopy(model)
    twin.eval()
    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
            m.train = lambda mode=True, m=m: m
    return twin


# %% right="the class changed"
class OnDropout(nn.Dropout):
    training = property(lambda self: True, lambda self, value: None)


class OnAlpha(nn.AlphaDropout):
    training = property(lambda self: True, lambda self, value: None)


def mc_twin(model):
    twin = copy.deepcopy(model).eval()
    for m in twin.modules():
        if isinstance(m, nn.AlphaDropout):
            m.__class__ = OnAlpha
        elif isinstance(m, nn.Dropout):
            m.__class__ = OnDropout
    return twin


# %% right="a hook that drops"
def mc_twin(model):
    twin = copy.deepcopy(model)
    twin.eval()
    for module in twin.modules():
        if isinstance(module, DROPOUT_LAYERS):
            module.forward = lambda x, m=module: (
                F.alpha_dropout(x, m.p, True) if isinstance(m, nn.AlphaDropout) else F.dropout(x, m.p, True)
            )
    return twin


# %% wrong="train mode once" says="After `twin.eval()` dropout is off"
def mc_twin(model):
    twin = copy.deepcopy(model).eval()
    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.train()
    return twin


# %% wrong="the whole twin in training mode" says="After `twin.eval()` dropout is off"
def mc_twin(model):
    twin = copy.deepcopy(model)
    twin.train()
    return twin


# %% wrong="the whole twin is deaf" says="running statistics should stand still"
def mc_twin(model):
    twin = copy.deepcopy(model)
    twin.train()
    twin.eval = lambda: twin
    return twin


# %% wrong="no copy" says="Return a copy"
def mc_twin(model):
    model.eval()
    for m in model.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return model


# %% wrong="a plain copy" says="Two calls of the twin give the same"
def mc_twin(model):
    return copy.deepcopy(model).eval()


# %% wrong="a shallow copy" says="The model itself has changed"
def mc_twin(model):
    twin = copy.copy(model)
    twin.eval()
    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin


# %% wrong="children only" says="Two calls of the twin give the same"
def mc_twin(model):
    twin = copy.deepcopy(model).eval()
    for m in twin.children():
        if isinstance(m, DROPOUT_LAYERS):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin


# %% wrong="alpha dropout only" says="Are both kinds of dropout found"
def mc_twin(model):
    twin = copy.deepcopy(model).eval()
    for m in twin.modules():
        if isinstance(m, nn.AlphaDropout):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin


# %% wrong="plain dropout only" says="Two calls of the twin give the same"
def mc_twin(model):
    twin = copy.deepcopy(model).eval()
    for m in twin.modules():
        if isinstance(m, nn.Dropout):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin


# %% wrong="alpha dropout becomes plain" says="is it plain dropout"
class Plain(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, training=True)


def mc_twin(model):
    twin = copy.deepcopy(model)
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, DROPOUT_LAYERS):
                setattr(parent, name, Plain(child.p))
    return twin.eval()


# %% wrong="always one half" says="each with its own rate"
class Half(nn.Module):
    def __init__(self, alpha):
        super().__init__()
        self.f = F.alpha_dropout if alpha else F.dropout

    def forward(self, x):
        return self.f(x, 0.5, training=True)


def mc_twin(model):
    twin = copy.deepcopy(model)
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, DROPOUT_LAYERS):
                setattr(parent, name, Half(isinstance(child, nn.AlphaDropout)))
    return twin.eval()


# %% wrong="wraps in a module" says="keys of the model's"
def mc_twin(model):
    class Twin(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = copy.deepcopy(model)

        def forward(self, x):
            self.inner.eval()
            for m in self.inner.modules():
                if isinstance(m, DROPOUT_LAYERS):
                    m.train()
            return self.inner(x)

    return Twin().eval()


# %% wrong="swaps by name in a Sequential only" says="Two calls of the twin give the same"
def mc_twin(model):
    twin = copy.deepcopy(model)
    for i, m in enumerate(twin):
        if isinstance(m, nn.AlphaDropout):
            twin[i] = nn.AlphaDropout(m.p).train()
    return twin.eval()


# %% wrong="drops twice" says="each with its own rate"
def mc_twin(model):
    twin = copy.deepcopy(model).eval()

    def again(layer, inputs, output):
        f = F.alpha_dropout if isinstance(layer, nn.AlphaDropout) else F.dropout
        return f(f(output, layer.p, True), layer.p, True)

    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.register_forward_hook(again)
    return twin


# %% wrong="the model goes to evaluation mode" says="modes of the model's own modules"
def mc_twin(model):
    twin = copy.deepcopy(model.eval())
    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin


# %% wrong="comes in training mode" says="The twin should come in evaluation mode"
def mc_twin(model):
    twin = copy.deepcopy(model)
    for m in twin.modules():
        if isinstance(m, DROPOUT_LAYERS):
            m.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin


# %% wrong="shares the weights" says="The twin shares tensors"
def mc_twin(model):
    twin = copy.deepcopy(model).eval()
    own = dict(model.named_parameters())
    for name, module in twin.named_modules():
        for key in list(module._parameters):
            if module._parameters[key] is not None:
                module._parameters[key] = own[f"{name}.{key}".lstrip(".")]
        if isinstance(module, DROPOUT_LAYERS):
            module.register_forward_pre_hook(lambda layer, _: setattr(layer, "training", True))
    return twin
