# %% right="topk"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().abs().reshape(-1) for w in weights])
    k = round(amount * flat.numel())
    keep = torch.ones_like(flat)
    keep[flat.topk(k, largest=False).indices] = 0.0
    masks, start = [], 0
    for w in weights:
        masks.append(keep[start : start + w.numel()].reshape(w.shape))
        start += w.numel()
    return masks


# %% right="ranks"
def prune_smallest(weights, amount):
    sizes = torch.cat([w.detach().flatten().abs() for w in weights])
    rank = sizes.argsort().argsort()
    keep = (rank >= round(amount * len(sizes))).to(weights[0].dtype)
    return [k.view_as(w) for k, w in zip(keep.split([w.numel() for w in weights]), weights)]


# %% right="torch's own pruning, on copies"
def prune_smallest(weights, amount):
    holders = []
    for w in weights:
        holder = nn.Module()
        holder.weight = nn.Parameter(w.detach().clone())
        holders.append(holder)
    total = sum(w.numel() for w in weights)
    prune.global_unstructured(
        [(h, "weight") for h in holders],
        pruning_method=prune.L1Unstructured,
        amount=round(amount * total),
    )
    return [h.weight_mask for h in holders]


# %% right="Python's own sort"
def prune_smallest(weights, amount):
    with torch.no_grad():
        masks = [torch.ones(w.shape, dtype=w.dtype) for w in weights]
        entries = sorted(
            (size, i, j)
            for i, w in enumerate(weights)
            for j, size in enumerate(w.abs().flatten().tolist())
        )
        for _, i, j in entries[: round(amount * len(entries))]:
            masks[i].view(-1)[j] = 0
        return masks


# %% right="nn.utils"
def prune_smallest(weights: list[torch.Tensor], amount: float) -> list[torch.Tensor]:
    vector = nn.utils.parameters_to_vector([w.detach() for w in weights]).abs()
    order = vector.sort(descending=True).indices
    kept = len(vector) - round(amount * len(vector))
    mask = torch.zeros_like(vector).scatter(0, order[:kept], 1.0)
    masks = [torch.empty_like(w.detach()) for w in weights]
    nn.utils.vector_to_parameters(mask, masks)
    return masks


# %% right="a tuple of masks"
def prune_smallest(weights, amount):
    sizes = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(sizes)
    mask[torch.argsort(sizes)[: round(amount * len(sizes))]] = 0
    return tuple(m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights))


# %% wrong="each tensor for itself" says="Half of *each* tensor is cut"
def prune_smallest(weights, amount):
    masks = []
    for w in weights:
        mask = torch.ones(w.numel(), dtype=w.dtype)
        mask[w.detach().flatten().abs().argsort()[: round(amount * w.numel())]] = 0
        masks.append(mask.view(w.shape))
    return masks


# %% wrong="signs count" says="Signs count in yours"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="cuts the largest" says="You cut the largest"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort(descending=True)[: round(amount * len(flat))]] = 0
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="ones mean cut" says="or 1 means cut"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.zeros_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 1
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="a threshold with kthvalue" says="your code raised"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    edge = flat.kthvalue(round(amount * len(flat))).values
    return [(w.detach().abs() > edge).to(w.dtype) for w in weights]


# %% wrong="a threshold, guarded" says="exactly five of the zeros"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    k = round(amount * len(flat))
    edge = flat.sort().values[k - 1] if k else -1.0
    return [(w.detach().abs() > edge).to(w.dtype) for w in weights]


# %% wrong="a quantile" says="Of 8 numbers 0, 25, 70"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    edge = flat.quantile(amount)
    return [(w.detach().abs() >= edge).to(w.dtype) for w in weights]


# %% wrong="rounds down" says="Of 8 numbers 0, 25, 70"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: int(amount * len(flat))]] = 0
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="amount is kept" says="Of 8 numbers 0, 25, 70"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round((1 - amount) * len(flat))]] = 0
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="pruned weights instead of masks" says="zeros and ones only"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    parts = mask.split([w.numel() for w in weights])
    return [m.view(w.shape) * w.detach() for m, w in zip(parts, weights)]


# %% wrong="boolean masks" says="weights' dtype"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    parts = mask.split([w.numel() for w in weights])
    return [m.view(w.shape).bool() for m, w in zip(parts, weights)]


# %% wrong="always float32" says="weights' dtype"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones(len(flat))
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="one flat mask" says="This should give a list"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    return mask


# %% wrong="flat masks" says="The shape should be"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    return list(mask.split([w.numel() for w in weights]))


# %% wrong="sets the weights to zero as well" says="The weights themselves have changed"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    parts = mask.split([w.numel() for w in weights])
    masks = [m.view(w.shape) for m, w in zip(parts, weights)]
    for m, w in zip(masks, weights):
        w.data.mul_(m)
    return masks


# %% wrong="takes the absolute value in place" says="The weights themselves have changed"
def prune_smallest(weights, amount):
    flat = torch.cat([w.data.abs_().flatten() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="argsort taken for ranks" says="not the rank of each number"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = (flat.argsort() >= round(amount * len(flat))).to(flat.dtype)
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]


# %% wrong="no return" says="Is the `return` missing"
def prune_smallest(weights, amount):
    flat = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(flat)
    mask[flat.argsort()[: round(amount * len(flat))]] = 0
