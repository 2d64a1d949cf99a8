# %% right="torch's own"
def binary_cross_entropy(probability, target):
    return F.binary_cross_entropy(probability, target)


# %% right="maximum and log1p"
def binary_cross_entropy(probability, target):
    floor = torch.tensor(-100.0, dtype=probability.dtype)
    yes = torch.maximum(torch.log(probability), floor)
    no = torch.maximum(torch.log1p(-probability), floor)
    return torch.mean(-target * yes - (1 - target) * no)


# %% right="where, and a sum over the number of entries"
def binary_cross_entropy(probability, target):
    def limited(x):
        log = x.log()
        return torch.where(log < -100, -100.0, log)

    total = torch.lerp(limited(1 - probability), limited(probability), target).sum()
    return -total / probability.numel()


# %% wrong="only the first term" says="The second term is missing"
def binary_cross_entropy(probability, target):
    return -(target * probability.log().clamp(min=-100)).mean()


# %% wrong="the mean is missing" says="Take the mean over all numbers"
def binary_cross_entropy(probability, target):
    p, q = probability.log().clamp(min=-100), (1 - probability).log().clamp(min=-100)
    return -(target * p + (1 - target) * q).sum()


# %% wrong="mean over the batch only" says="The loss is wrong for shape (5, 3)"
def binary_cross_entropy(probability, target):
    p, q = probability.log().clamp(min=-100), (1 - probability).log().clamp(min=-100)
    loss = -(target * p + (1 - target) * q)
    return loss.sum() / len(loss)


# %% wrong="no limit" says="0 · log 0"
def binary_cross_entropy(probability, target):
    return -(target * probability.log() + (1 - target) * (1 - probability).log()).mean()


# %% wrong="xlogy, no limit" says="it gives inf"
def binary_cross_entropy(probability, target):
    return -(torch.xlogy(target, probability) + torch.xlogy(1 - target, 1 - probability)).mean()


# %% wrong="an ε clamp of p" says="by a small ε"
def binary_cross_entropy(probability, target):
    p = probability.clamp(1e-7, 1 - 1e-7)
    return -(target * p.log() + (1 - target) * (1 - p).log()).mean()


# %% wrong="limits the products" says="Limit each logarithm at −100"
def binary_cross_entropy(probability, target):
    yes = (target * probability.log()).clamp(min=-100)
    no = ((1 - target) * (1 - probability).log()).clamp(min=-100)
    return -(yes + no).mean()


# %% wrong="limits the products, nan to 0" says="You limit the product"
def binary_cross_entropy(probability, target):
    yes = (target * probability.log()).nan_to_num(nan=0.0).clamp(min=-100)
    no = ((1 - target) * (1 - probability).log()).nan_to_num(nan=0.0).clamp(min=-100)
    return -(yes + no).mean()


# %% wrong="no sign" says="The sign is missing"
def binary_cross_entropy(probability, target):
    p, q = probability.log().clamp(min=-100), (1 - probability).log().clamp(min=-100)
    return (target * p + (1 - target) * q).mean()


# %% wrong="terms subtracted" says="The two terms are subtracted"
def binary_cross_entropy(probability, target):
    p, q = probability.log().clamp(min=-100), (1 - probability).log().clamp(min=-100)
    return -(target * p - (1 - target) * q).mean()


# %% wrong="targets swapped" says="The targets are swapped"
def binary_cross_entropy(probability, target):
    p, q = probability.log().clamp(min=-100), (1 - probability).log().clamp(min=-100)
    return -((1 - target) * p + target * q).mean()


# %% wrong="a threshold on the target" says="by a threshold"
def binary_cross_entropy(probability, target):
    right = torch.where(target > 0.5, probability, 1 - probability)
    return -right.log().clamp(min=-100).mean()


# %% wrong="takes a logit" says="They are probabilities already"
def binary_cross_entropy(probability, target):
    return F.binary_cross_entropy_with_logits(probability, target)


# %% wrong="returns a number" says="should give a Tensor"
def binary_cross_entropy(probability, target):
    return F.binary_cross_entropy(probability, target).item()


# %% wrong="minus the entropy" says="You subtract the entropy"
def binary_cross_entropy(probability, target):
    return F.binary_cross_entropy(probability, target) - F.binary_cross_entropy(target, target)


# %% right="two halves of one stack, limited together"
def binary_cross_entropy(probability, target):
    logs = torch.stack([probability, 1 - probability]).log().clip(min=-100.0)
    weights = torch.stack([target, 1 - target])
    return -(weights * logs).sum(0).mean()


# %% wrong="inf replaced, but no limit" says="its logarithm below −100"
def binary_cross_entropy(probability, target):
    p = probability.log().nan_to_num(neginf=-100)
    q = (1 - probability).log().nan_to_num(neginf=-100)
    return -(target * p + (1 - target) * q).mean()


# %% wrong="an ε inside the logarithm" says="by a small ε"
def binary_cross_entropy(probability, target):
    p, q = (probability + 1e-10).log(), (1 - probability + 1e-10).log()
    return -(target * p + (1 - target) * q).mean()


# %% wrong="a coarse ε" says="by a small ε"
def binary_cross_entropy(probability, target):
    p = probability.clamp(1e-4, 1 - 1e-4)
    return F.binary_cross_entropy(p, target)


# %% wrong="limit before the logarithm" says="You limit p at exp(−100)"
def binary_cross_entropy(probability, target):
    p = probability.clamp(min=math.exp(-100)).log()
    q = (1 - probability).clamp(min=math.exp(-100)).log()
    return -(target * p + (1 - target) * q).mean()


# %% wrong="base 2" says="base 2"
def binary_cross_entropy(probability, target):
    return F.binary_cross_entropy(probability, target) / math.log(2)


# %% wrong="limits the first logarithm only" says="0 · log 0"
def binary_cross_entropy(probability, target):
    p, q = probability.log().clamp(min=-100), (1 - probability).log()
    return -(target * p + (1 - target) * q).mean()
