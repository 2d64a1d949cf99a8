# %% right="cross-entropy without reduction"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()


# %% right="one-hot and the exact difference"
def focal_loss(logits: torch.Tensor, labels: torch.Tensor, gamma: float = 2.0) -> torch.Tensor:
    log_q = torch.log_softmax(logits, -1)
    hot = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    log_p = (log_q * hot).sum(-1)
    return -torch.mean((-torch.expm1(log_p)) ** gamma * log_p)


# %% right="probability and logarithm apart"
def focal_loss(logits, labels, gamma=2.0):
    rows = torch.arange(len(labels))
    p = logits.softmax(1)[rows, labels]
    log_p = logits[rows, labels] - torch.logsumexp(logits, 1)
    if gamma == 0:
        return -log_p.mean()
    return -((1 - p).pow(gamma) * log_p).sum() / len(labels)


# %% right="a loop over the samples"
def focal_loss(logits, labels, gamma=2.0):
    total = 0
    for row, label in zip(logits, labels):
        ce = F.cross_entropy(row[None], label[None])
        total = total + (1 - (-ce).exp()) ** gamma * ce
    return total / len(logits)


# %% wrong="weights by p" says="You weight by p_t^γ"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (torch.exp(-ce) ** gamma * ce).mean()


# %% wrong="softmax, then log" says="stay with logits"
def focal_loss(logits, labels, gamma=2.0):
    p = F.softmax(logits, 1)[torch.arange(len(labels)), labels]
    return -((1 - p) ** gamma * p.log()).mean()


# %% wrong="detached factor" says="is treated as a constant"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce.detach())) ** gamma * ce).mean()


# %% wrong="factor under no_grad" says="is treated as a constant"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    with torch.no_grad():
        factor = (1 - torch.exp(-ce)) ** gamma
    return (factor * ce).mean()


# %% wrong="mean before the factor" says="each sample has a factor of its own"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels)
    return (1 - torch.exp(-ce)) ** gamma * ce


# %% wrong="sum" says="You sum over the batch"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).sum()


# %% wrong="one loss a sample" says="Take the mean over the batch"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (1 - torch.exp(-ce)) ** gamma * ce


# %% wrong="gamma fixed" says="γ = 2 is fixed in your code"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** 2 * ce).mean()


# %% wrong="no power" says="not with the power"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)) * ce).mean()


# %% wrong="sign" says="The sign is wrong"
def focal_loss(logits, labels, gamma=2.0):
    log_p = F.log_softmax(logits, 1)[torch.arange(len(labels)), labels]
    return ((1 - log_p.exp()) ** gamma * log_p).mean()


# %% wrong="plain cross-entropy" says="That is cross-entropy"
def focal_loss(logits, labels, gamma=2.0):
    return F.cross_entropy(logits, labels)


# %% wrong="mean over all entries" says="Average over the samples"
def focal_loss(logits, labels, gamma=2.0):
    log_q = F.log_softmax(logits, 1)
    hot = F.one_hot(labels, logits.shape[1])
    return -((1 - log_q.exp()) ** gamma * log_q * hot).mean()


# %% wrong="power through the logarithm" says="the gradient is not finite"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (torch.exp(gamma * torch.log(1 - torch.exp(-ce))) * ce).mean()


# %% wrong="a small number inside the logarithm" says="stay with logits"
def focal_loss(logits, labels, gamma=2.0):
    p = F.softmax(logits, 1)[torch.arange(len(labels)), labels]
    return -((1 - p) ** gamma * (p + 1e-8).log()).mean()


# %% wrong="detached altogether" says="something was detached"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits.detach(), labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()


# %% wrong="infinite slope at p = 1" says="the gradient is not finite"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)).sqrt() ** (2 * gamma) * ce).mean()


# %% wrong="a Python number" says="it gives a float"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean().item()


# %% right="double precision softmax, then log"
def focal_loss(logits, labels, gamma=2.0):
    p = logits.double().softmax(1)[torch.arange(len(labels)), labels]
    return (-((1 - p) ** gamma) * p.log()).mean().to(logits.dtype)


# %% right="log of the rivals' sum"
def focal_loss(logits, labels, gamma=2.0):
    true = F.one_hot(labels, logits.shape[1]).bool()
    log_all = logits.logsumexp(1)
    log_rivals = logits.masked_fill(true, float("-inf")).logsumexp(1)
    return (torch.exp(gamma * (log_rivals - log_all)) * (log_all - logits[true])).mean()


# %% wrong="alpha of the paper" says="the paper's α"
def focal_loss(logits, labels, gamma=2.0, alpha=0.25):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (alpha * (1 - torch.exp(-ce)) ** gamma * ce).mean()


# %% wrong="retensored" says="a new tensor without history"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return torch.tensor(((1 - torch.exp(-ce)) ** gamma * ce).mean().item(), dtype=logits.dtype, requires_grad=True)


# %% wrong="softmax over the batch" says="runs over the batch"
def focal_loss(logits, labels, gamma=2.0):
    log_p = F.log_softmax(logits, 0).gather(1, labels[:, None])
    return -((1 - log_p.exp()) ** gamma * log_p).mean()


# %% wrong="softmax twice" says="Softmax twice"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits.softmax(1), labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()


# %% wrong="logarithm detached" says="The logarithm is treated as a constant"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce.detach()).mean()


# %% wrong="factor clamped" says="no floor belongs under"
def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-ce)).clamp(min=1e-2) ** gamma * ce).mean()
