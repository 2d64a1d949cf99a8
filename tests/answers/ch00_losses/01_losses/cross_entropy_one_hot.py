# %% right="torch.where on the product"
def cross_entropy_one_hot(probabilities, target):
    terms = torch.where(target > 0, target * probabilities.log(), 0.0)
    return -terms.sum(1).mean()


# %% right="picks the entries with t > 0"
def cross_entropy_one_hot(probabilities, target):
    wanted = target > 0
    total = -(target[wanted] * torch.log(probabilities[wanted])).sum()
    return total / probabilities.shape[0]


# %% right="entropy subtracted from a divergence"
def cross_entropy_one_hot(probabilities, target):
    entropy = torch.special.entr(target).sum()
    safe = torch.where(target > 0, probabilities, torch.ones_like(probabilities))
    return (F.kl_div(safe.log(), target, reduction="sum") + entropy) / len(target)


# %% right="row by row"
def cross_entropy_one_hot(probabilities, target):
    losses = []
    for p, t in zip(probabilities, target, strict=True):
        keep = t != 0
        losses.append(-torch.dot(t[keep], p[keep].log()))
    return torch.stack(losses).mean()


# %% wrong="0 · log 0" says="0 · log 0"
def cross_entropy_one_hot(probabilities, target):
    return -(target * probabilities.log()).sum(1).mean()


# %% wrong="mean over batch and classes" says="You average over batch times classes"
def cross_entropy_one_hot(probabilities, target):
    return -torch.xlogy(target, probabilities).mean()


# %% wrong="sum over the batch" says="You add up the batch"
def cross_entropy_one_hot(probabilities, target):
    return -torch.xlogy(target, probabilities).sum()


# %% wrong="no sign" says="The sign is missing"
def cross_entropy_one_hot(probabilities, target):
    return torch.xlogy(target, probabilities).sum(1).mean()


# %% wrong="base 2" says="base 2"
def cross_entropy_one_hot(probabilities, target):
    return -torch.xlogy(target, probabilities).sum(1).mean() / math.log(2)


# %% wrong="clamps the probability" says="Did you clamp the probability"
def cross_entropy_one_hot(probabilities, target):
    return -(target * probabilities.clamp(min=1e-12).log()).sum(1).mean()


# %% wrong="an ε in the logarithm" says="add a small number to it"
def cross_entropy_one_hot(probabilities, target):
    return -(target * (probabilities + 1e-9).log()).sum(dim=1).mean()


# %% wrong="nan and inf to numbers" says="should cost inf"
def cross_entropy_one_hot(probabilities, target):
    return -(target * probabilities.log()).nan_to_num().sum(1).mean()


# %% wrong="only the likeliest class" says="each counts with its weight"
def cross_entropy_one_hot(probabilities, target):
    rows = torch.arange(len(target))
    return -probabilities[rows, target.argmax(1)].log().mean()


# %% wrong="roles swapped" says="Is it the target whose logarithm"
def cross_entropy_one_hot(probabilities, target):
    return -torch.xlogy(probabilities, target).sum(1).mean()


# %% wrong="takes logits" says="They are probabilities already"
def cross_entropy_one_hot(probabilities, target):
    return F.cross_entropy(probabilities, target)


# %% wrong="binary form" says="That is the binary form"
def cross_entropy_one_hot(probabilities, target):
    other = torch.xlogy(1 - target, 1 - probabilities)
    return -(torch.xlogy(target, probabilities) + other).sum(1).mean()


# %% wrong="cut off from autograd" says="cut off from autograd"
@torch.no_grad()
def cross_entropy_one_hot(probabilities, target):
    return -torch.xlogy(target, probabilities).sum(1).mean()


# %% wrong="removes zeros in place" says="a leaf Variable that requires grad"
def cross_entropy_one_hot(probabilities, target):
    probabilities[target == 0] = 1
    return -(target * probabilities.log()).sum(1).mean()


# %% right="nan replaced, inf kept, divided by the sum of the targets"
def cross_entropy_one_hot(probabilities, target):
    terms = (target * probabilities.log()).nan_to_num(nan=0.0, neginf=-math.inf)
    return -terms.sum() / target.sum().round()


# %% wrong="replaces p where p is 0" says="should cost inf"
def cross_entropy_one_hot(probabilities, target):
    safe = torch.where(probabilities > 0, probabilities, 1.0)
    return -(target * safe.log()).sum(1).mean()


# %% wrong="nan_to_num with nan alone" says="`nan_to_num` does"
def cross_entropy_one_hot(probabilities, target):
    return -(target * probabilities.log()).nan_to_num(nan=0.0).sum(1).mean()


# %% wrong="only targets of exactly 1" says="With soft targets each class counts"
def cross_entropy_one_hot(probabilities, target):
    return -probabilities[target == 1].log().sum() / len(target)


# %% wrong="target overwritten" says="Your arguments changed"
def cross_entropy_one_hot(probabilities, target):
    with torch.no_grad():
        keep = target > 0
        total = target.clone()
        target.fill_(0.0)
    return -(total[keep] * probabilities[keep].log()).sum() / len(total)


# %% right="nansum"
def cross_entropy_one_hot(probabilities, target):
    return -(target * probabilities.log()).nansum(1).mean()
