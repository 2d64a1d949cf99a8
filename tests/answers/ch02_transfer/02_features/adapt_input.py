# %% right="repeat, permute for the means"
def adapt_input(images, size, mean, std):
    x = images.to(torch.float32).div(255)
    if images.ndim == 3:
        x = x[:, None]
    if x.shape[1] == 1:
        x = x.repeat(1, 3, 1, 1)
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
    x = x.permute(0, 2, 3, 1)
    x = (x - torch.tensor(mean)) / torch.tensor(std)
    return x.permute(0, 3, 1, 2)


# %% right="channel by channel"
def adapt_input(images: torch.Tensor, size: int, mean, std):
    x = images.unsqueeze(1) if images.dim() == 3 else images
    x = F.interpolate(x.float() / 255, size=size, mode="bilinear", antialias=True, align_corners=False)
    return torch.stack([(x[:, c if x.shape[1] == 3 else 0] - mean[c]) / std[c] for c in range(3)], dim=1)


# %% right="normalise first, resize afterwards"
def adapt_input(images, size, mean, std):
    x = images.reshape(len(images), -1, *images.shape[-2:]).float() / 255
    x = torch.cat([x] * (3 // x.shape[1]), dim=1)
    x = (x - torch.as_tensor(mean).view(1, 3, 1, 1)) / torch.as_tensor(std).view(1, 3, 1, 1)
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)


# %% right="with torchvision's functions"
def adapt_input(images, size, mean, std):
    lab.import_torchvision()
    from torchvision.transforms import functional as tv

    x = images if images.dim() == 4 else images[:, None]
    x = x.expand(-1, 3, -1, -1).float() / 255
    return tv.normalize(tv.resize(x, [size, size], antialias=True), list(mean), list(std))


# %% wrong="not divided by 255" says="have not been divided"
def adapt_input(images, size, mean, std):
    x = images.float()
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="divided twice" says="by 255 twice"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True) / 255
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="mean along the width" says="along the *width*"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    return (x - torch.tensor(mean)) / torch.tensor(std)


# %% wrong="divides first" says="Subtract the mean first"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return x / std - mean


# %% wrong="no mean and std" says="have not been applied"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)


# %% wrong="no antialias" says="come out grey"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear")
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="nearest neighbour" says="come out grey"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size))
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="one channel stays one" says="The shape should be"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = x[:, None] if x.dim() == 3 else x
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    return (x - sum(mean) / 3) / (sum(std) / 3)


# %% wrong="three grey pictures are one in colour" says="The values are off"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    if x.dim() == 3:
        x = x[None].transpose(0, 1) if x.shape[0] != 3 else x[None].expand(3, 3, *x.shape[1:])
    x = x.expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="BGR, as OpenCV has it" says="Red and blue"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1).flip(1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="a colour picture averaged to grey" says="channels mixed up"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="takes only three-axis batches" says="case"
def adapt_input(images, size, mean, std):
    x = images.float()[:, None].expand(-1, 3, -1, -1) / 255
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="crops a square first" says="The values are off"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    side = min(x.shape[-2:])
    x = F.interpolate(x[..., :side, :side], size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="float64 means" says="should be float32"
def adapt_input(images, size, mean, std):
    x = images.double() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v, dtype=torch.float64).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std


# %% wrong="the batch's own mean and std" says="should become"
def adapt_input(images, size, mean, std):
    x = images.float() / 255
    x = (x[:, None] if x.dim() == 3 else x).expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    return (x - x.mean()) / (x.std() + 1e-7)
