# %% right="indexing with two lists"
def softmax_cross_entropy(logits, labels):
    shifted = logits - logits.max(dim=1, keepdim=True).values
    right = shifted[torch.arange(len(labels)), labels]
    return (shifted.exp().sum(1).log() - right).mean()


# %% right="torch's own"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels)


# %% right="distances to the right score, by logsumexp"
def softmax_cross_entropy(logits, labels):
    away = logits - torch.take_along_dim(logits, labels[:, None], dim=1)
    return torch.logsumexp(away, 1).mean()


# %% right="one-hot mask on log_softmax"
def softmax_cross_entropy(logits, labels):
    mask = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return -(mask * torch.log_softmax(logits, 1)).sum() / logits.size(0)


# %% right="row by row, maximum detached"
def softmax_cross_entropy(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        m = row.detach().max()
        total = total + m + torch.log(torch.exp(row - m).sum()) - row[label]
    return total / len(labels)


# %% wrong="softmax, then log" says="take no logarithm of a probability"
def softmax_cross_entropy(logits, labels):
    p = torch.softmax(logits, 1)
    return -p[torch.arange(len(labels)), labels].log().mean()


# %% wrong="an ε against the inf" says="by a small ε"
def softmax_cross_entropy(logits, labels):
    p = torch.softmax(logits, 1) + 1e-12
    return -p[torch.arange(len(labels)), labels].log().mean()


# %% wrong="logarithm limited at −100" says="limited at −100"
def softmax_cross_entropy(logits, labels):
    p = torch.softmax(logits, 1)
    return -p[torch.arange(len(labels)), labels].log().clamp(min=-100).mean()


# %% wrong="no shift" says="inf or nan"
def softmax_cross_entropy(logits, labels):
    right = logits[torch.arange(len(labels)), labels]
    return (logits.exp().sum(1).log() - right).mean()


# %% wrong="one maximum for the batch" says="Does each row have its own maximum?"
def softmax_cross_entropy(logits, labels):
    m = logits.max()
    right = logits[torch.arange(len(labels)), labels]
    return (m + (logits - m).exp().sum(1).log() - right).mean()


# %% wrong="maximum not added again" says="has to be added again"
def softmax_cross_entropy(logits, labels):
    m = logits.amax(1, keepdim=True)
    right = logits[torch.arange(len(labels)), labels]
    return ((logits - m).exp().sum(1).log() - right).mean()


# %% wrong="sum over the batch" says="You add up the batch"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum")


# %% wrong="mean over batch times classes" says="Divide by the size of the batch only"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum") / logits.numel()


# %% wrong="softmax twice" says="softmax twice"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(torch.softmax(logits, 1), labels)


# %% wrong="sign turned round" says="The sign is turned round"
def softmax_cross_entropy(logits, labels):
    return torch.log_softmax(logits, 1)[torch.arange(len(labels)), labels].mean()


# %% wrong="loss without a logarithm" says="The logarithm is missing"
def softmax_cross_entropy(logits, labels):
    return -torch.softmax(logits, 1)[torch.arange(len(labels)), labels].mean()


# %% wrong="the largest score instead of the label's" says="Take that of the label"
def softmax_cross_entropy(logits, labels):
    return -torch.log_softmax(logits, 1).amax(1).mean()


# %% wrong="columns instead of entries" says="Take one entry a row"
def softmax_cross_entropy(logits, labels):
    logp = torch.log_softmax(logits, 1)
    return -logp[:, labels].mean()


# %% wrong="shift in place" says="a leaf Variable that requires grad"
def softmax_cross_entropy(logits, labels):
    logits -= logits.amax(1, keepdim=True)
    right = logits[torch.arange(len(labels)), labels]
    return (logits.exp().sum(1).log() - right).mean()


# %% wrong="returns a number" says="should give a Tensor"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels).item()


# %% wrong="clamps the logits" says="should cost exactly 200"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(logits.clamp(-80, 80), labels)


# %% right="in double, then back"
def softmax_cross_entropy(logits, labels):
    z = logits.double()
    top = z.max(1)[0].detach()
    lse = (z - top[:, None]).exp().sum(1).log() + top
    return (lse.sum() - z[range(len(labels)), labels].sum()).div(len(labels)).to(logits.dtype)


# %% right="logaddexp, column by column"
def softmax_cross_entropy(logits, labels):
    total = logits[:, 0]
    for k in range(1, logits.shape[1]):
        total = torch.logaddexp(total, logits[:, k])
    return F.nll_loss(logits - total[:, None], labels)


# %% wrong="a smaller ε" says="by a small ε"
def softmax_cross_entropy(logits, labels):
    p = torch.softmax(logits, 1).clamp(min=1e-10)
    return F.nll_loss(p.log(), labels)


# %% wrong="the smallest float as ε" says="by a small ε"
def softmax_cross_entropy(logits, labels):
    p = torch.softmax(logits, 1).clamp(min=torch.finfo(logits.dtype).tiny)
    return F.nll_loss(p.log(), labels)


# %% wrong="computes in float32" says="Only the digits of float32"
def softmax_cross_entropy(logits, labels):
    return F.cross_entropy(logits.float(), labels).to(logits.dtype)


# %% wrong="the largest score as log-sum-exp of large ones" says="Two equal scores cost log 2"
def softmax_cross_entropy(logits, labels):
    right = logits[torch.arange(len(labels)), labels]
    if logits.abs().max() > 80:
        return (logits.amax(1) - right).mean()
    return (logits.exp().sum(1).log() - right).mean()


# %% wrong="shift in place, hidden from autograd" says="changed its logits"
def softmax_cross_entropy(logits, labels):
    logits.data -= logits.data.amax(1, keepdim=True)
    return (logits.exp().sum(1).log() - logits[torch.arange(len(labels)), labels]).mean()


# %% wrong="softmax along the batch" says="You apply softmax along the batch"
def softmax_cross_entropy(logits, labels):
    return -torch.log_softmax(logits, 0)[torch.arange(len(labels)), labels].mean()
