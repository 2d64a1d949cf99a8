# %% right="image by image"
def rotate_batch(images, generator=None):
    if images.size(-1) != images.size(-2):
        raise ValueError("square images only")
    turns = torch.randint(0, 4, (images.size(0),), generator=generator)
    rotated = torch.empty_like(images)
    for i, k in enumerate(turns.tolist()):
        rotated[i] = torch.rot90(images[i], k, (-2, -1))
    return rotated, turns.to(images.device)


# %% right="all four, then pick"
def rotate_batch(images, generator=None):
    *_, h, w = images.shape
    if h != w:
        raise ValueError(f"{h} x {w}")
    n = len(images)
    turns = torch.randint(4, (n,), generator=generator).to(images.device)
    views = torch.stack([images.rot90(k, (-2, -1)) for k in range(4)])
    return views[turns, torch.arange(n, device=images.device)], turns


# %% right="with flips and transpose"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, images.shape[:1], generator=generator).to(images.device)
    out = images.clone()
    for k, turn in enumerate(
        (
            lambda z: z,
            lambda z: z.transpose(-2, -1).flip(-2),
            lambda z: z.flip((-2, -1)),
            lambda z: z.transpose(-2, -1).flip(-1),
        )
    ):
        out[turns == k] = turn(images[turns == k])
    return out, turns


# %% right="a permutation of the pixels"
def rotate_batch(images, generator=None):
    side = images.shape[-1]
    if images.shape[-2] != side:
        raise ValueError("not square")
    grid = torch.arange(side * side).reshape(side, side)
    orders = torch.stack([grid.rot90(k).flatten() for k in range(4)]).to(images.device)
    turns = (4 * torch.rand(len(images), generator=generator)).long().to(images.device)
    flat = images.flatten(-2)
    index = orders[turns]
    if images.dim() == 4:
        index = index[:, None].expand(flat.shape)
    return flat.gather(-1, index).reshape(images.shape), turns


# %% right="a stack of images"
def rotate_batch(images, generator=None):
    if images.shape[-2] != images.shape[-1]:
        raise ValueError("square images, please")
    turns = torch.randint(4, (len(images),), generator=generator)
    parts = [torch.rot90(x, int(k), [x.dim() - 2, x.dim() - 1]) for x, k in zip(images, turns)]
    rotated = torch.stack(parts) if parts else images.clone()
    return rotated, turns.to(images.device)


# %% wrong="rot90 in its default dimensions" says="by default"
def rotate_batch(images, generator=None):
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        group = images[turns == k]
        rotated[turns == k] = group.rot90(k).reshape(group.shape)
    return rotated, turns


# %% wrong="one number for all" says="draw one for each image"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    k = int(torch.randint(4, (), generator=generator))
    turns = torch.full((len(images),), k)
    return images.rot90(k, (-2, -1)).clone(), turns


# %% wrong="clockwise" says="clockwise"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-1, -2))
    return rotated, turns


# %% wrong="never three" says="All of 0, 1, 2, 3 should occur"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(3, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="never upright" says="All of 0, 1, 2, 3 should occur"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(1, 4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="labels in degrees" says="numbers of quarter turns"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, 90 * turns


# %% wrong="labels as floats" says="should be int64"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns.float()


# %% wrong="all four versions of each image" says="As many images come out as go in"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    rotated = torch.cat([images.rot90(k, (-2, -1)) for k in range(4)])
    return rotated, torch.arange(4).repeat_interleave(len(images))


# %% wrong="transposed, not turned" says="do not belong together"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k, turn in enumerate(
        (
            lambda z: z,
            lambda z: z.transpose(-2, -1),
            lambda z: z.flip((-2, -1)),
            lambda z: z.transpose(-2, -1).flip((-2, -1)),
        )
    ):
        rotated[turns == k] = turn(images[turns == k])
    return rotated, turns


# %% wrong="upside down by a flip only" says="do not belong together"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in (1, 3):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    rotated[turns == 2] = images[turns == 2].flip(-2)
    return rotated, turns


# %% wrong="in place" says="changes its argument"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    for k in range(4):
        images[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return images, turns


# %% wrong="ignores the generator" says="use `generator`"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),))
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="dimensions 1 and 2 only" says="(5, 2, 4, 4)"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (1, 2))
    return rotated, turns


# %% wrong="dimensions 1 and 2, reshaped" says="turned by"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        group = images[turns == k]
        rotated[turns == k] = group.rot90(k, (1, 2)).reshape(group.shape)
    return rotated, turns


# %% wrong="takes any shape" says="should raise a ValueError"
def rotate_batch(images, generator=None):
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        group = images[turns == k].rot90(k, (-2, -1))
        rotated[turns == k] = group.reshape(rotated[turns == k].shape)
    return rotated, turns


# %% wrong="in turn, not at random" says="drawn on its own"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.arange(len(images)) % 4
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="seeds" says="set no seed"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="rounds to the nearest, so that the ends are rare" says="equally likely"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = (3 * torch.rand(len(images), generator=generator)).round().long()
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="turns as a column" says="one label for each image"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images), 1), generator=generator)
    rotated = torch.stack([x.rot90(int(k), (-2, -1)) for x, k in zip(images, turns)])
    return rotated, turns


# %% wrong="the images only" says="Return two things"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    return torch.stack([x.rot90(int(k), (-2, -1)) for x, k in zip(images, turns)])


# %% wrong="turns in order" says="drawn on its own"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator).sort().values
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns


# %% wrong="puts the groups one behind the other" says="Some image lost its pixels"
def rotate_batch(images, generator=None):
    if images.shape[-1] != images.shape[-2]:
        raise ValueError
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = torch.cat([images[turns == k].rot90(k, (-2, -1)) for k in range(4)])
    return rotated, turns.sort().values


# %% wrong="asserts" says="AssertionError"
def rotate_batch(images, generator=None):
    assert images.shape[-1] == images.shape[-2]
    turns = torch.randint(4, (len(images),), generator=generator)
    rotated = images.clone()
    for k in range(4):
        rotated[turns == k] = images[turns == k].rot90(k, (-2, -1))
    return rotated, turns
