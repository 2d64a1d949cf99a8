# %% right="a loop over the batch"
def shifted(images, reach, fill=0.0):
    height, width = images.shape[-2:]
    padded = F.pad(images, (reach, reach, reach, reach), value=fill)
    out = []
    for image in padded:
        a, b = (int(torch.randint(0, 2 * reach + 1, ())) for _ in range(2))
        out.append(image[:, a : a + height, b : b + width])
    return torch.stack(out)


# %% right="roll, then paint over what came in again"
def shifted(images, reach, fill=0.0):
    out = images.clone()
    for i in range(len(images)):
        dy, dx = torch.randint(-reach, reach + 1, (2,)).tolist()
        moved = torch.roll(images[i], (dy, dx), dims=(1, 2))
        if dy > 0:
            moved[:, :dy] = fill
        if dy < 0:
            moved[:, dy:] = fill
        if dx > 0:
            moved[:, :, :dx] = fill
        if dx < 0:
            moved[:, :, dx:] = fill
        out[i] = moved
    return out


# %% right="all windows by unfold"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n))
    return windows[torch.arange(n), :, a, b].clone()


# %% right="a copied rectangle"
def shifted(images, reach, fill=0.0):
    h, w = images.shape[2:]
    out = torch.full_like(images, fill)
    for i in range(images.shape[0]):
        dy = torch.randint(-reach, reach + 1, (1,)).item()
        dx = torch.randint(-reach, reach + 1, (1,)).item()
        out[i, :, max(dy, 0) : h + min(dy, 0), max(dx, 0) : w + min(dx, 0)] = images[
            i, :, max(-dy, 0) : h + min(-dy, 0), max(-dx, 0) : w + min(-dx, 0)
        ]
    return out


# %% right="gather, rows first"
def shifted(images, reach, fill=0.0):
    n, c, h, w = images.shape
    big = F.pad(images, (reach,) * 4, value=fill)
    top = torch.randint(0, 2 * reach + 1, (n, 1, 1, 1))
    left = torch.randint(0, 2 * reach + 1, (n, 1, 1, 1))
    rows = (top + torch.arange(h).view(1, 1, h, 1)).expand(n, c, h, big.shape[3])
    columns = (left + torch.arange(w).view(1, 1, 1, w)).expand(n, c, h, w)
    return big.gather(2, rows).gather(3, columns)


# %% wrong="one offset for the whole batch" says="by the same offset"
def shifted(images, reach, fill=0.0):
    h, w = images.shape[2:]
    a, b = torch.randint(2 * reach + 1, (2,)).tolist()
    return F.pad(images, (reach,) * 4, value=fill)[:, :, a : a + h, b : b + w]


# %% wrong="rolls, and paints nothing" says="should be `fill`"
def shifted(images, reach, fill=0.0):
    moves = torch.randint(-reach, reach + 1, (len(images), 2)).tolist()
    return torch.stack([torch.roll(x, (a, b), (1, 2)) for x, (a, b) in zip(images, moves, strict=True)])


# %% wrong="upper end left out" says="leaves out its upper end"
def shifted(images, reach, fill=0.0):
    h, w = images.shape[2:]
    padded = F.pad(images, (reach,) * 4, value=fill)
    out = []
    for image in padded:
        a = b = 0
        if reach:
            a, b = torch.randint(0, 2 * reach, (2,)).tolist()
        out.append(image[:, a : a + h, b : b + w])
    return torch.stack(out)


# %% wrong="down and right only" says="should move by −2"
def shifted(images, reach, fill=0.0):
    h, w = images.shape[2:]
    padded = F.pad(images, (reach,) * 4, value=fill)
    out = []
    for image in padded:
        a, b = torch.randint(0, reach + 1, (2,)).tolist()
        out.append(image[:, reach - a : reach - a + h, reach - b : reach - b + w])
    return torch.stack(out)


# %% wrong="one number for rows and columns" says="along a diagonal"
def shifted(images, reach, fill=0.0):
    h, w = images.shape[2:]
    padded = F.pad(images, (reach,) * 4, value=fill)
    starts = torch.randint(2 * reach + 1, (len(images),)).tolist()
    return torch.stack([p[:, a : a + h, a : a + w] for p, a in zip(padded, starts, strict=True)])


# %% wrong="each channel for itself" says="moved apart"
def shifted(images, reach, fill=0.0):
    n, c, h, w = images.shape
    padded = F.pad(images, (reach,) * 4, value=fill).flatten(0, 1)
    out = []
    for channel in padded:
        a, b = torch.randint(2 * reach + 1, (2,)).tolist()
        out.append(channel[a : a + h, b : b + w])
    return torch.stack(out).reshape(n, c, h, w)


# %% wrong="always zeros" says="should be `fill`"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n))
    return windows[torch.arange(n), :, a, b]


# %% wrong="repeats the edge" says="should be `fill`"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, mode="replicate").unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n))
    return windows[torch.arange(n), :, a, b]


# %% wrong="writes into the argument" says="changes its argument"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n))
    return images.copy_(windows[torch.arange(n), :, a, b])


# %% wrong="returns the larger sheet" says="The shape should be"
def shifted(images, reach, fill=0.0):
    return F.pad(images, (reach,) * 4, value=fill)


# %% wrong="a shift by the full reach only" says="should move by −2"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = 2 * reach * torch.randint(2, (2, n))
    return windows[torch.arange(n), :, a, b]


# %% wrong="rounds a bell curve" says="equally likely"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = (torch.randn(2, n) * reach / 2).round().clamp(-reach, reach).long() + reach
    return windows[torch.arange(n), :, a, b]


# %% wrong="rounds a uniform number" says="equally likely"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = (2 * reach * torch.rand(2, n)).round().long()
    return windows[torch.arange(n), :, a, b]


# %% wrong="the same seed in each call" says="Two calls"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    dice = torch.Generator().manual_seed(0)
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n), generator=dice)
    return windows[torch.arange(n), :, a, b]


# %% wrong="numpy's dice" says="The same seed of torch"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.from_numpy(np.random.default_rng().integers(2 * reach + 1, size=(2, n)))
    return windows[torch.arange(n), :, a, b]


# %% wrong="height for width" says="your code raised"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    big = F.pad(images, (reach,) * 4, value=fill)
    out = torch.empty_like(images)
    for i in range(n):
        a, b = torch.randint(2 * reach + 1, (2,)).tolist()
        out[i] = big[i, :, a : a + h, b : b + h]
    return out


# %% wrong="float32 whatever comes" says="dtype of the images"
def shifted(images, reach, fill=0.0):
    n, _, h, w = images.shape
    windows = F.pad(images.float(), (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n))
    return windows[torch.arange(n), :, a, b]


# %% wrong="the argument itself where nothing moves" says="a new tensor"
def shifted(images, reach, fill=0.0):
    if reach == 0:
        return images
    n, _, h, w = images.shape
    windows = F.pad(images, (reach,) * 4, value=fill).unfold(2, h, 1).unfold(3, w, 1)
    a, b = torch.randint(2 * reach + 1, (2, n))
    return windows[torch.arange(n), :, a, b]


# %% wrong="forgets to return" says="Is the `return` missing"
def shifted(images, reach, fill=0.0):
    h, w = images.shape[2:]
    out = [image[:, :h, :w] for image in F.pad(images, (reach,) * 4, value=fill)]
    torch.stack(out)
