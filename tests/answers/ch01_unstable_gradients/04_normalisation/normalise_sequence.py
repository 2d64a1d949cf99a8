# %% right="transposed twice"
def normalise_sequence(norm, x):
    return torch.transpose(norm(torch.transpose(x, 1, 2)), 1, 2)


# %% right="one long batch"
def normalise_sequence(norm, x):
    b, t, f = x.shape
    return norm(x.reshape(b * t, f)).reshape(b, t, f)


# %% right="einsum for the axes"
def normalise_sequence(norm, x):
    y = norm(torch.einsum("btf->bft", x).contiguous())
    print(y.shape)
    return torch.einsum("bft->btf", y)


# %% right="mT"
def normalise_sequence(norm, x):
    return norm(x.mT).mT


# %% wrong="as it is" says="running_mean should contain 6 elements not 3"
def normalise_sequence(norm, x):
    return norm(x)


# %% wrong="reshape for permute" says="Were axes mixed?"
def normalise_sequence(norm, x):
    b, t, f = x.shape
    return norm(x.reshape(b, f, t)).reshape(b, t, f)


# %% wrong="not back again" says="The shape should be (4, 6, 3)"
def normalise_sequence(norm, x):
    return norm(x.permute(0, 2, 1))


# %% wrong="back by reshape" says="Were axes mixed?"
def normalise_sequence(norm, x):
    return norm(x.permute(0, 2, 1)).reshape(x.shape)


# %% wrong="step by step" says="`norm` was called 6 times"
def normalise_sequence(norm, x):
    return torch.stack([norm(x[:, t]) for t in range(x.shape[1])], dim=1)


# %% wrong="sample by sample" says="`norm` was called 4 times"
def normalise_sequence(norm, x):
    return torch.stack([norm(sample) for sample in x])


# %% wrong="a norm of its own" says="`norm` was called 0 times"
def normalise_sequence(norm, x):
    fresh = nn.BatchNorm1d(x.shape[2])
    return fresh(x.permute(0, 2, 1)).permute(0, 2, 1)


# %% wrong="by hand, norm never called" says="`norm` was called 0 times"
def normalise_sequence(norm, x):
    return (x - x.mean((0, 1))) / torch.sqrt(x.var((0, 1), correction=0) + norm.eps)


# %% wrong="layer norm" says="mean 0 over samples and steps"
def normalise_sequence(norm, x):
    return F.layer_norm(x, x.shape[2:])


# %% wrong="in evaluation mode" says="mean 0 over samples and steps"
def normalise_sequence(norm, x):
    norm.eval()
    return norm(x.permute(0, 2, 1)).permute(0, 2, 1)


# %% wrong="always in training mode" says="eval mode"
def normalise_sequence(norm, x):
    norm.train()
    return norm(x.permute(0, 2, 1)).permute(0, 2, 1)


# %% wrong="called twice" says="`norm` was called 2 times"
def normalise_sequence(norm, x):
    norm(x.permute(0, 2, 1))
    return norm(x.permute(0, 2, 1)).permute(0, 2, 1)


# %% wrong="the result thrown away" says="Is the `return` missing?"
def normalise_sequence(norm, x):
    norm(x.permute(0, 2, 1)).permute(0, 2, 1)


# %% wrong="the input detached" says="No gradient reaches `x`"
def normalise_sequence(norm, x):
    return norm(x.detach().transpose(1,2)).transpose(1,2)


# %% wrong="F.batch_norm, nothing counted" says="called 0 times"
def normalise_sequence(norm, x):
    return F.batch_norm(x.transpose(1,2), norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.training, norm.momentum, norm.eps).transpose(1,2)


# %% right="one long sequence"
def normalise_sequence(norm, x):
    b,t,f=x.shape
    return norm(x.reshape(1,b*t,f).permute(0,2,1)).permute(0,2,1).reshape(b,t,f)
