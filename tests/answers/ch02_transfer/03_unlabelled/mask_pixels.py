# %% right="randperm for each image, patch by patch"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch != 0 or w % patch != 0:
        raise ValueError("no whole number of patches")
    cols = w // patch
    P = (h // patch) * cols
    k = round(share * P)
    mask = torch.zeros(images.shape, dtype=torch.bool, device=images.device)
    for i in range(n):
        for p in torch.randperm(P, generator=generator)[:k].tolist():
            r, c = patch * (p // cols), patch * (p % cols)
            mask[i, r : r + patch, c : c + patch] = True
    masked = images.clone()
    masked[mask] = 0
    return masked, mask


# %% right="topk and scatter"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError(f"{(h, w)} and {patch}")
    grid = torch.zeros(n, (h // patch) * (w // patch), dtype=torch.bool)
    k = round(share * grid.shape[1])
    chosen = torch.rand(grid.shape, generator=generator).topk(k, dim=1).indices
    grid.scatter_(1, chosen, True)
    grid = grid.reshape(n, h // patch, 1, w // patch, 1)
    mask = grid.expand(n, h // patch, patch, w // patch, patch).reshape(n, h, w)
    mask = mask.to(images.device)
    return torch.where(mask, torch.zeros_like(images), images), mask


# %% right="with kron"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if (h % patch, w % patch) != (0, 0):
        raise ValueError
    P = h * w // patch**2
    order = torch.rand(n, P, generator=generator).argsort(1)
    hidden = torch.zeros(n, P)
    hidden[torch.arange(n)[:, None], order[:, : round(P * share)]] = 1
    hidden = hidden.view(n, h // patch, w // patch)
    mask = torch.stack([torch.kron(g, torch.ones(patch, patch)) for g in hidden]).bool()
    return images * ~mask.to(images.device), mask.to(images.device)


# %% right="by the index of each pixel's patch"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rows, cols = h // patch, w // patch
    where = (torch.arange(h) // patch)[:, None] * cols + torch.arange(w) // patch
    perms = [torch.randperm(rows * cols, generator=generator) for _ in range(n)]
    mask = torch.stack(perms)[:, where] < round(share * rows * cols)
    mask = mask.to(images.device)
    return images.masked_fill(mask, 0.0), mask


# %% right="interpolated"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    size = (n, (h // patch) * (w // patch))
    k = int(round(share * size[1]))
    lots = torch.rand(size, generator=generator, dtype=torch.float64)
    order = lots.argsort(1, descending=True)
    small = torch.zeros(size).scatter(1, order[:, :k], 1.0)
    small = small.reshape(n, 1, h // patch, w // patch)
    mask = F.interpolate(small, scale_factor=patch, mode="nearest")[:, 0] > 0.5
    mask = mask.to(images.device)
    return images.masked_fill(mask, 0), mask


# %% wrong="a coin for each patch" says="A coin for each patch"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    grid = torch.rand(n, h // patch, w // patch, generator=generator) < share
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="a coin for each pixel" says="one by one"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    mask = torch.rand(n, h, w, generator=generator) < share
    return images.masked_fill(mask, 0), mask


# %% wrong="single pixels, exactly so many" says="one by one"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w, generator=generator).argsort(1).argsort(1)
    mask = (rank < round(share * h * w)).reshape(n, h, w)
    return images.masked_fill(mask, 0), mask


# %% wrong="the same patches in all images" says="the same mask"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    P = (h // patch) * (w // patch)
    grid = torch.zeros(P, dtype=torch.bool)
    grid[torch.randperm(P, generator=generator)[: round(share * P)]] = True
    grid = grid.reshape(h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 0).repeat_interleave(patch, 1).expand(n, h, w)
    return images.masked_fill(mask, 0), mask


# %% wrong="True where visible" says="True where pixels are visible"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank >= round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    keep = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images * keep, keep


# %% wrong="shows the share instead of hiding it" says="`share` is what is hidden"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank >= round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="the order taken for the ranks, off the first rows" says="Not every choice"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    P = h * w // patch**2
    k = round(share * P)
    start = torch.randint(P, (n, 1), generator=generator)
    grid = (torch.arange(P) - start) % P < k  # neighbours in a row
    grid = grid.reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="the mask as numbers" says="should be bool"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).float().reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images * (1 - mask), mask


# %% wrong="in place" says="changes its argument"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    images[mask] = 0
    return images, mask


# %% wrong="fills with the mean" says="Hidden pixels should be 0"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return torch.where(mask, images.mean(), images), mask


# %% wrong="the mask of the patches only" says="a value for each pixel"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), grid


# %% wrong="repeat instead of repeat_interleave" says="off the grid"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat(1, patch, patch)
    return images.masked_fill(mask, 0), mask


# %% wrong="rounds down" says="= 2 of the 6 patches"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < int(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="rounds up" says="exactly round(share * P)"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < math.ceil(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="drawn with replacement" says="= 2 of the 6 patches"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    P = h * w // patch**2
    chosen = torch.randint(P, (n, round(share * P)), generator=generator)
    grid = torch.zeros(n, P, dtype=torch.bool).scatter_(1, chosen, True)
    grid = grid.reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="ignores the generator" says="use `generator`"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="checks one side only" says="cannot be cut"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch:
        raise ValueError
    rank = torch.rand(n, (h // patch) * (w // patch), generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    mask = F.pad(mask, (0, w - mask.shape[2]))
    return images.masked_fill(mask, 0), mask


# %% wrong="seeds" says="set no seed"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    generator = generator or torch.Generator().manual_seed(0)
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% wrong="rows and columns swapped" says="shape"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    rank = torch.rand(n, h * w // patch**2, generator=generator).argsort(1).argsort(1)
    grid = (rank < round(share * rank.shape[1])).reshape(n, w // patch, h // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images * ~mask, mask


# %% wrong="a threshold that ties with itself" says="= 2 of the 6 patches"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    lots = torch.rand(n, h * w // patch**2, generator=generator)
    k = round(share * lots.shape[1])
    limit = lots.sort(1).values[:, k - 1 : k]
    grid = (lots < limit).reshape(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return images.masked_fill(mask, 0), mask


# %% right="multinomial"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    P = (h // patch) * (w // patch)
    k = round(share * P)
    grid = torch.zeros(n, P, dtype=torch.bool)
    if k:
        chosen = torch.multinomial(torch.ones(n, P), k, generator=generator)
        grid.scatter_(1, chosen, True)
    grid = grid.view(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2).to(images.device)
    return images.masked_fill(mask, 0), mask


# %% right="a random order is as good as random ranks"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    P = (h // patch) * (w // patch)
    grid = torch.rand(n, P, generator=generator).argsort(1) < round(share * P)
    grid = grid.view(n, h // patch, w // patch)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2).to(images.device)
    return images.masked_fill(mask, 0), mask


# %% wrong="patches anywhere" says="off the grid"
def mask_pixels(images, share, patch=4, generator=None):
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError
    mask = torch.zeros(n, h, w, dtype=torch.bool)
    for i in range(n):
        for _ in range(round(share * (h // patch) * (w // patch))):
            r = int(torch.randint(h - patch + 1, (), generator=generator))
            c = int(torch.randint(w - patch + 1, (), generator=generator))
            mask[i, r : r + patch, c : c + patch] = True
    return images.masked_fill(mask, 0), mask
