# %% right="one-hot matrix"
def softmax_cross_entropy_grad(logits, labels):
    truth = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return (logits.softmax(1) - truth) / logits.shape[0]


# %% right="their own softmax and scatter_add"
def softmax_cross_entropy_grad(logits, labels):
    gradient = softmax(logits, dim=1)
    minus = torch.full((len(labels), 1), -1.0, dtype=logits.dtype)
    return gradient.scatter_add(1, labels[:, None], minus).div(len(labels))


# %% right="autograd on a copy"
def softmax_cross_entropy_grad(logits, labels):
    z = logits.detach().clone().requires_grad_()
    F.cross_entropy(z, labels).backward()
    return z.grad


# %% right="a loop over the rows"
def softmax_cross_entropy_grad(logits, labels):
    out = torch.empty_like(logits)
    for i in range(len(labels)):
        e = torch.exp(logits[i] - logits[i].max())
        out[i] = e / e.sum()
        out[i, labels[i]] -= 1.0
    return out / len(out)


# %% right="comparison with a row of class numbers"
def softmax_cross_entropy_grad(logits, labels):
    truth = labels.view(-1, 1) == torch.arange(logits.size(1))
    return (torch.softmax(logits, -1) - truth.to(logits)) / labels.numel()


# %% wrong="no division by the batch" says="The division by the batch size is missing"
def softmax_cross_entropy_grad(logits, labels):
    return logits.softmax(1) - F.one_hot(labels, logits.shape[1])


# %% wrong="sign turned round" says="prediction minus truth"
def softmax_cross_entropy_grad(logits, labels):
    return (F.one_hot(labels, logits.shape[1]) - logits.softmax(1)) / len(labels)


# %% wrong="logits minus one-hot" says="Apply softmax first"
def softmax_cross_entropy_grad(logits, labels):
    return (logits - F.one_hot(labels, logits.shape[1])) / len(labels)


# %% wrong="logits changed in place" says="changed its logits"
def softmax_cross_entropy_grad(logits, labels):
    logits -= logits.amax(1, keepdim=True)
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return (p - F.one_hot(labels, logits.shape[1])) / len(labels)


# %% wrong="subtracts at the label's column in every row" says="at the row's own label only"
def softmax_cross_entropy_grad(logits, labels):
    p = logits.softmax(1)
    p[:, labels] -= 1
    return p / len(labels)


# %% wrong="divides by the number of classes" says="Divide by the size of the batch"
def softmax_cross_entropy_grad(logits, labels):
    return (logits.softmax(1) - F.one_hot(labels, logits.shape[1])) / logits.shape[1]


# %% wrong="divides by all numbers" says="You divide by batch times classes"
def softmax_cross_entropy_grad(logits, labels):
    return (logits.softmax(1) - F.one_hot(labels, logits.shape[1])) / logits.numel()


# %% wrong="only the right class" says="Only the right class gets a gradient"
def softmax_cross_entropy_grad(logits, labels):
    truth = F.one_hot(labels, logits.shape[1])
    return (logits.softmax(1) - 1) * truth / len(labels)


# %% wrong="just the probabilities" says="Those are the probabilities"
def softmax_cross_entropy_grad(logits, labels):
    return logits.softmax(1) / len(labels)


# %% wrong="softmax without a shift" says="should give (−1, 1)"
def softmax_cross_entropy_grad(logits, labels):
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return (p - F.one_hot(labels, logits.shape[1])) / len(labels)


# %% wrong="softmax over the batch" says="You apply softmax along the batch"
def softmax_cross_entropy_grad(logits, labels):
    return (logits.softmax(0) - F.one_hot(labels, logits.shape[1])) / len(labels)


# %% wrong="one_hot guesses the number of classes" says="must match the size"
def softmax_cross_entropy_grad(logits, labels):
    return (logits.softmax(1) - F.one_hot(labels)) / len(labels)


# %% wrong="dtype falls to float32" says="dtype"
def softmax_cross_entropy_grad(logits, labels):
    truth = F.one_hot(labels, logits.shape[1]).float()
    return (logits.float().softmax(1) - truth) / len(labels)


# %% wrong="the loss instead of its gradient" says="shape should be (2, 2)"
def softmax_cross_entropy_grad(logits, labels):
    return F.cross_entropy(logits, labels)


# %% right="minus the gradient of the right score, by logsumexp and eye"
def softmax_cross_entropy_grad(logits, labels):
    n, k = logits.shape
    p = (logits - logits.logsumexp(1, keepdim=True)).exp()
    p = p / p.sum(1, keepdim=True)
    return (p - torch.eye(k, dtype=logits.dtype)[labels]).div(n)


# %% wrong="autograd on the argument" says="switched `requires_grad`"
def softmax_cross_entropy_grad(logits, labels):
    logits.requires_grad_()
    F.cross_entropy(logits, labels).backward()
    return logits.grad


# %% wrong="computes in float32" says="Only the digits of float32"
def softmax_cross_entropy_grad(logits, labels):
    p = torch.softmax(logits.float(), 1)
    return ((p - F.one_hot(labels, logits.shape[1])) / len(labels)).to(logits.dtype)


# %% wrong="the likeliest class for the label" says="You subtract 1 at the likeliest class"
def softmax_cross_entropy_grad(logits, labels):
    p = torch.softmax(logits, 1)
    return (p - F.one_hot(p.argmax(1), logits.shape[1])) / len(labels)


# %% wrong="labels changed in place" says="changed its arguments"
def softmax_cross_entropy_grad(logits, labels):
    p = torch.softmax(logits, 1)
    p[torch.arange(len(labels)), labels] -= 1
    labels += 1
    return p / len(labels)
