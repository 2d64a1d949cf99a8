# %% right="scatter"
def smooth_labels(labels, n_classes, epsilon=0.1):
    targets = torch.full((len(labels), n_classes), epsilon / n_classes)
    return targets.scatter_add(1, labels[:, None], torch.full((len(labels), 1), 1 - epsilon))


# %% right="index assignment"
def smooth_labels(labels: torch.Tensor, n_classes: int, epsilon: float = 0.1) -> torch.Tensor:
    targets = torch.ones(labels.shape[0], n_classes) * (epsilon / n_classes)
    targets[torch.arange(labels.shape[0]), labels] += 1 - epsilon
    return targets


# %% right="rows of a matrix"
def smooth_labels(labels, n_classes, epsilon=0.1):
    matrix = (1 - epsilon) * torch.eye(n_classes) + epsilon / n_classes
    return matrix[labels]


# %% right="lerp to the uniform"
def smooth_labels(labels, n_classes, epsilon=0.1):
    hard = F.one_hot(labels, num_classes=n_classes).to(torch.float32)
    return torch.lerp(hard, torch.full_like(hard, 1 / n_classes), epsilon)


# %% right="where"
def smooth_labels(labels, n_classes, epsilon=0.1):
    low = epsilon / n_classes
    is_label = labels[:, None] == torch.arange(n_classes)
    return torch.where(is_label, 1 - epsilon + low, low).float()


# %% wrong="over the other classes" says="over the other classes only"
def smooth_labels(labels, n_classes, epsilon=0.1):
    hard = F.one_hot(labels, n_classes).float()
    return hard * (1 - epsilon) + (1 - hard) * epsilon / (n_classes - 1)


# %% wrong="label without its share" says="the label gets its share of ε too"
def smooth_labels(labels, n_classes, epsilon=0.1):
    hard = F.one_hot(labels, n_classes).float()
    return hard * (1 - epsilon) + (1 - hard) * epsilon / n_classes


# %% wrong="label keeps all" says="the label keeps only 1"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float() + epsilon / n_classes


# %% wrong="undivided" says="ε is to be divided"
def smooth_labels(labels, n_classes, epsilon=0.1):
    hard = F.one_hot(labels, n_classes).float()
    return hard * (1 - epsilon) + (1 - hard) * epsilon


# %% wrong="shares swapped" says="You have swapped the shares"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float() * epsilon + (1 - epsilon) / n_classes


# %% wrong="hard" says="hard labels"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float()


# %% wrong="whole numbers" says="float32, not torch.int64"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes)


# %% wrong="float64" says="float32, not torch.float64"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).double() * (1 - epsilon) + epsilon / n_classes


# %% wrong="classes from the labels" says="The shape should be"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels).float() * (1 - epsilon) + epsilon / n_classes


# %% wrong="a column an image" says="The shape should be"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return (F.one_hot(labels, n_classes).float() * (1 - epsilon) + epsilon / n_classes).T


# %% wrong="no default" says="missing 1 required positional argument"
def smooth_labels(labels, n_classes, epsilon):
    return F.one_hot(labels, n_classes).float() * (1 - epsilon) + epsilon / n_classes


# %% wrong="returns nothing" says="Is the `return` missing"
def smooth_labels(labels, n_classes, epsilon=0.1):
    targets = F.one_hot(labels, n_classes).float() * (1 - epsilon) + epsilon / n_classes


# %% wrong="divides by the batch" says="every class should get 0.05"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float() * (1 - epsilon) + epsilon / len(labels)


# %% wrong="ten classes always" says="every class should get 0.05"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float() * (1 - epsilon) + epsilon / 10


# %% wrong="epsilon of the default" says="every class should get 0.05"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float() * 0.9 + 0.1 / n_classes


# %% wrong="every class gets the whole share" says="The rows sum to 1.6"
def smooth_labels(labels, n_classes, epsilon=0.1):
    return F.one_hot(labels, n_classes).float() * (1 - epsilon) + epsilon
