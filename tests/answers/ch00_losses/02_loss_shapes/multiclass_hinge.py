# %% right="PyTorch's own, times K"
def multiclass_hinge(scores, labels, margin=1.0):
    return F.multi_margin_loss(scores, labels, margin=margin) * scores.shape[1]


# %% right="takes the margin off again"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores[torch.arange(len(labels)), labels][:, None]
    return (F.relu(scores - own + margin).sum(1) - margin).mean()


# %% right="two loops"
def multiclass_hinge(scores: torch.Tensor, labels: torch.Tensor, margin: float = 1.0) -> torch.Tensor:
    total = scores.sum() * 0
    for row, c in zip(scores, labels.tolist()):
        for j in range(len(row)):
            if j != c:
                total = total + torch.clamp(row[j] - row[c] + margin, min=0)
    return total / len(scores)


# %% right="a mask of rivals"
def multiclass_hinge(scores, labels, margin=1.0):
    rival = F.one_hot(labels, scores.shape[1]) == 0
    short = scores - scores.gather(1, labels[:, None]) + margin
    return torch.where(rival & (short > 0), short, 0.0).sum() / len(labels)


# %% right="true entry written to zero"
def multiclass_hinge(scores, labels, margin=1.0):
    rows = torch.arange(scores.size(0))
    cost = torch.maximum(torch.zeros_like(scores), scores - scores[rows, labels].unsqueeze(1) + margin)
    cost[rows, labels] = 0
    return torch.einsum("bk->", cost) / scores.size(0)


# %% wrong="true class in the sum" says="The true class itself is in the sum"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return (scores - own + margin).clamp(min=0).sum(1).mean()


# %% wrong="divides by K" says="You divide by the number of classes"
def multiclass_hinge(scores, labels, margin=1.0):
    return F.multi_margin_loss(scores, labels, margin=margin)


# %% wrong="mean over the rivals" says="You average over the rivals"
def multiclass_hinge(scores, labels, margin=1.0):
    k = scores.shape[1]
    return F.multi_margin_loss(scores, labels, margin=margin) * k / (k - 1)


# %% wrong="largest violation only" says="Crammer and Singer"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    rivals = scores.scatter(1, labels[:, None], float("-inf"))
    return (rivals - own + margin).clamp(min=0).amax(1).mean()


# %% wrong="squared" says="That is the squared hinge"
def multiclass_hinge(scores, labels, margin=1.0):
    return F.multi_margin_loss(scores, labels, p=2, margin=margin) * scores.shape[1]


# %% wrong="sum over the batch" says="You sum over the batch"
def multiclass_hinge(scores, labels, margin=1.0):
    return F.multi_margin_loss(scores, labels, margin=margin, reduction="sum") * scores.shape[1]


# %% wrong="no margin" says="The margin is missing"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return (scores - own).clamp(min=0).sum(1).mean()


# %% wrong="difference turned round" says="The sign is turned round"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return ((own - scores + margin).clamp(min=0).sum(1) - margin).mean()


# %% wrong="no clamp" says="earns credit"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return ((scores - own + margin).sum(1) - margin).mean()


# %% wrong="margin fixed" says="The margin 1 is fixed in your code"
def multiclass_hinge(scores, labels, margin=1.0):
    return F.multi_margin_loss(scores, labels) * scores.shape[1]


# %% wrong="ignores the labels" says="does not look at the labels"
def multiclass_hinge(scores, labels, margin=1.0):
    return (scores[:, 1:] - scores[:, :1] + margin).clamp(min=0).sum(1).mean()


# %% wrong="takes 1 off, not the margin" says="With margin 2 the losses"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return ((scores - own + margin).clamp(min=0).sum(1) - 1).mean()


# %% wrong="one loss a sample" says="Sum over the rivals, then take the mean"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return (scores - own + margin).clamp(min=0).sum(1) - margin


# %% wrong="detached" says="something was detached"
def multiclass_hinge(scores, labels, margin=1.0):
    return F.multi_margin_loss(scores.detach(), labels, margin=margin) * scores.shape[1]


# %% wrong="true score detached" says="the rival down, the true score up"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None]).detach()
    return ((scores - own + margin).clamp(min=0).sum(1) - margin).mean()


# %% right="only the rivals, by a mask"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    keep = torch.ones_like(scores, dtype=torch.bool).scatter(1, labels[:, None], False)
    rivals = scores[keep].view(len(scores), -1)
    return (rivals - own + margin).clamp(min=0).sum(1).mean()


# %% wrong="returns nothing" says="Is the `return` missing?"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    loss = ((scores - own + margin).clamp(min=0).sum(1) - margin).mean()


# %% wrong="works on the argument" says="in-place operation"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    scores -= own - margin
    return (scores.clamp(min=0).sum(1) - margin).mean()


# %% right="the columns of the true scores"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores[:, labels].diagonal().unsqueeze(-1)
    return torch.relu(scores + margin - own).sum(-1).mean() - margin


# %% wrong="a number for a single class" says="should still be a tensor"
def multiclass_hinge(scores, labels, margin=1.0):
    total = 0.0
    for row, c in zip(scores, labels.tolist()):
        for j in range(len(row)):
            if j != c:
                total = total + (row[j] - row[c] + margin).clamp(min=0)
    return total / len(scores)


# %% wrong="mean over the violating samples" says="samples that violate a margin"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    per = (scores - own + margin).clamp(min=0).sum(1) - margin
    return per.sum() / (per > 0).sum().clamp(min=1)


# %% wrong="cut off after the sum" says="Each rival counts by itself"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    return ((scores - own + margin).sum(1) - margin).clamp(min=0).mean()


# %% wrong="minus a thousand million" says="not by a number such as"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    rivals = scores.scatter(1, labels[:, None], -1e9)
    return (rivals - own + margin).clamp(min=0).sum(1).mean()


# %% wrong="python max, wrapped" says="do not leave out the terms of value 0"
def multiclass_hinge(scores, labels, margin=1.0):
    loss = 0
    for i in range(len(scores)):
        for j in range(scores.shape[1]):
            if j != labels[i]:
                loss += max(0, scores[i, j] - scores[i, labels[i]] + margin)
    return torch.as_tensor(loss / len(scores), dtype=scores.dtype)


# %% wrong="in the data" says="The scores changed"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    scores.data.scatter_(1, labels[:, None], -math.inf)
    return (scores - own + margin).clamp(min=0).sum(1).mean()


# %% wrong="ties in scores dropped by value" says="go by the label, not by the score"
def multiclass_hinge(scores, labels, margin=1.0):
    own = scores.gather(1, labels[:, None])
    short = (scores - own + margin).clamp(min=0)
    return torch.where(scores == own, 0.0, short).sum(1).mean()
