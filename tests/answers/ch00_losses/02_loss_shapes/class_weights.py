# %% right="a loop"
def class_weights(labels, n_classes):
    counts = [(labels == c).sum().item() for c in range(n_classes)]
    present = sum(n > 0 for n in counts)
    return torch.tensor([len(labels) / (present * n) if n else 0.0 for n in counts])


# %% right="inverse, then scaled by the mean over the samples"
def class_weights(labels: torch.Tensor, n_classes: int) -> torch.Tensor:
    counts = torch.bincount(labels, minlength=n_classes).float()
    weights = torch.where(counts > 0, 1 / counts, torch.zeros_like(counts))
    return weights / weights[labels].mean()


# %% right="a mask as index, from one-hot"
def class_weights(labels, n_classes):
    counts = F.one_hot(labels, n_classes).sum(0)
    weights = torch.zeros(n_classes)
    here = counts.nonzero().flatten()
    weights[here] = labels.numel() / (len(here) * counts[here])
    return weights


# %% right="unique"
def class_weights(labels, n_classes):
    values, counts = labels.unique(return_counts=True)
    weights = torch.zeros(n_classes)
    weights[values] = len(labels) / len(values) / counts
    return weights


# %% wrong="not scaled" says="That is 1/n_c"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return torch.where(counts > 0, 1 / counts, 0.0)


# %% wrong="n over n_c" says="whose mean over the samples is K"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return torch.where(counts > 0, len(labels) / counts, 0.0)


# %% wrong="frequencies" says="Those are the frequencies"
def class_weights(labels, n_classes):
    return torch.bincount(labels, minlength=n_classes) / len(labels)


# %% wrong="mean over the classes" says="Their mean over the *classes* is 1"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    weights = torch.where(counts > 0, 1 / counts, 0.0)
    return weights / weights.mean()


# %% wrong="sum is one" says="Their sum is 1"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    weights = torch.where(counts > 0, 1 / counts, 0.0)
    return weights / weights.sum()


# %% wrong="no minlength" says="Classes that do not occur need an entry"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels)
    present = (counts > 0).sum()
    return torch.where(counts > 0, len(labels) / (present * counts), 0.0)


# %% wrong="divides by zero" says="do not divide by 0"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return len(labels) / (n_classes * counts)


# %% wrong="K counts absent classes" says="K counts all five classes"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return torch.where(counts > 0, len(labels) / (n_classes * counts), 0.0)


# %% wrong="counts clamped to 1" says="should have weight 0"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return len(labels) / ((counts > 0).sum() * counts.clamp(min=1))


# %% wrong="counts clamped, all classes" says="should have weight 0"
def class_weights(labels, n_classes):
    return len(labels) / (n_classes * torch.bincount(labels, minlength=n_classes).clamp(min=1))


# %% wrong="one weight a sample" says="One weight a class"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return (len(labels) / ((counts > 0).sum() * counts))[labels]


# %% wrong="float64" says="should be float32"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes).double()
    present = (counts > 0).sum()
    return torch.where(counts > 0, len(labels) / (present * counts), 0.0)


# %% wrong="whole numbers" says="floating-point numbers"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes).clamp(min=1)
    return len(labels) // (n_classes * counts)


# %% wrong="largest label is the last class" says="K counts all five classes"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    weights = torch.zeros(n_classes)
    for c in labels.unique():
        weights[c] = len(labels) / (len(counts) * counts[c])
    return weights


# %% right="infinite replaced"
def class_weights(labels, n_classes):
    inverse = torch.bincount(labels, minlength=n_classes).reciprocal().nan_to_num(posinf=0.0)
    return inverse * labels.numel() / inverse.count_nonzero()


# %% wrong="a set of tensors" says="A `set` of tensors"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    k = len(set(labels))
    return torch.where(counts > 0, len(labels) / (k * counts), 0.0)


# %% wrong="one added to the counts" says="You add 1 to the counts"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes) + 1
    return len(labels) / (n_classes * counts)


# %% wrong="small number in the denominator" says="should have weight 0"
def class_weights(labels, n_classes):
    w = 1 / (torch.bincount(labels, minlength=n_classes) + 1e-6)
    return w / w[labels].mean()


# %% wrong="nan_to_num" says="should have weight 0"
def class_weights(labels, n_classes):
    counts = torch.bincount(labels, minlength=n_classes)
    return (len(labels) / ((counts > 0).sum() * counts)).nan_to_num()
