# %% right="picks the hidden pixels"
def masked_loss(reconstruction, images, mask):
    if not mask.any():
        return (reconstruction * 0).sum()
    return F.mse_loss(reconstruction[mask], images[mask])


# %% right="with where"
def masked_loss(reconstruction, images, mask):
    errors = torch.where(mask, (reconstruction - images) ** 2, 0.0)
    return errors.sum() / max(int(mask.sum()), 1)


# %% right="weights of the mean"
def masked_loss(reconstruction, images, mask):
    weight = mask.to(reconstruction.dtype)
    errors = F.mse_loss(reconstruction, images, reduction="none")
    return torch.sum(weight * errors) / weight.sum().clamp_min(1)


# %% right="a dot product"
def masked_loss(reconstruction, images, mask):
    gap = (reconstruction - images)[mask]
    return gap.dot(gap) / max(len(gap), 1)


# %% right="through the composite"
def masked_loss(reconstruction, images, mask):
    filled = torch.where(mask, reconstruction, images)
    n = mask.sum()
    return F.mse_loss(filled, images, reduction="sum") / n.where(n > 0, torch.ones_like(n))


# %% wrong="the mean over all pixels" says="over all pixels"
def masked_loss(reconstruction, images, mask):
    return F.mse_loss(reconstruction, images)


# %% wrong="divides by all pixels" says="You divide by all pixels"
def masked_loss(reconstruction, images, mask):
    return ((reconstruction - images) ** 2 * mask).mean()


# %% wrong="mse of the masked images" says="You divide by all pixels"
def masked_loss(reconstruction, images, mask):
    return F.mse_loss(reconstruction * mask, images * mask)


# %% wrong="the visible pixels" says="the *visible* pixels"
def masked_loss(reconstruction, images, mask):
    return F.mse_loss(reconstruction[~mask], images[~mask])


# %% wrong="the sum" says="That is the sum"
def masked_loss(reconstruction, images, mask):
    return ((reconstruction - images) ** 2 * mask).sum()


# %% wrong="the mean of the images' means" says="mean of the means"
def masked_loss(reconstruction, images, mask):
    errors = (reconstruction - images).square() * mask
    rows = errors.flatten(1).sum(1) / mask.flatten(1).sum(1).clamp(min=1)
    return rows.mean()


# %% wrong="divides by the number of images" says="by the number of images"
def masked_loss(reconstruction, images, mask):
    return ((reconstruction - images) ** 2 * mask).sum() / len(images)


# %% wrong="absolute errors" says="should be squared"
def masked_loss(reconstruction, images, mask):
    return (reconstruction - images)[mask].abs().sum() / mask.sum().clamp(min=1)


# %% wrong="the root" says="root of the loss"
def masked_loss(reconstruction, images, mask):
    return F.mse_loss(reconstruction[mask], images[mask]).sqrt()


# %% wrong="nan where nothing is hidden" says="0/0 is nan"
def masked_loss(reconstruction, images, mask):
    return F.mse_loss(reconstruction[mask], images[mask])


# %% wrong="a bare zero where nothing is hidden" says="`loss.backward()` should work"
def masked_loss(reconstruction, images, mask):
    if not mask.any():
        return torch.tensor(0.0)
    return F.mse_loss(reconstruction[mask], images[mask])


# %% wrong="a Python zero where nothing is hidden" says="return a tensor too"
def masked_loss(reconstruction, images, mask):
    if not mask.any():
        return 0.0
    return F.mse_loss(reconstruction[mask], images[mask])


# %% wrong="a Python number" says="Tensor"
def masked_loss(reconstruction, images, mask):
    return F.mse_loss(reconstruction[mask], images[mask]).item()


# %% wrong="detached" says="No gradient flows back"
def masked_loss(reconstruction, images, mask):
    errors = (reconstruction.detach() - images).square() * mask
    return errors.sum() / mask.sum().clamp(min=1)


# %% wrong="a small number against nan" says="their mean should come out"
def masked_loss(reconstruction, images, mask):
    errors = (reconstruction - images).square() * mask
    return errors.sum() / (mask.sum() + 0.01)


# %% wrong="errors left per pixel" says="one number"
def masked_loss(reconstruction, images, mask):
    return (reconstruction - images).square() * mask


# %% wrong="writes into the truth" says="changes one of its arguments"
def masked_loss(reconstruction, images, mask):
    images[~mask] = reconstruction.detach()[~mask]
    return F.mse_loss(reconstruction, images, reduction="sum") / mask.sum().clamp(min=1)


# %% wrong="float64 promotes" says="dtype of `reconstruction`"
def masked_loss(reconstruction, images, mask):
    errors = (reconstruction - images).double().square() * mask
    return errors.sum() / mask.sum().clamp(min=1)


# %% wrong="visible pixels in the gradient" says="0 elsewhere"
def masked_loss(reconstruction, images, mask):
    errors = (reconstruction - images).square()
    visible = (errors * ~mask).sum()
    return ((errors * mask).sum() + visible - visible.detach()) / mask.sum().clamp(min=1)


# %% right="nan_to_num"
def masked_loss(reconstruction, images, mask):
    return (reconstruction[mask] - images[mask]).pow(2).mean().nan_to_num()


# %% right="a tiny number against 0/0"
def masked_loss(reconstruction, images, mask):
    return ((reconstruction - images) ** 2 * mask).sum() / (mask.sum() + 1e-8)


# %% wrong="a ratio of means" says="0/0 is nan"
def masked_loss(reconstruction, images, mask):
    share = mask.to(reconstruction.dtype).mean()
    return ((reconstruction - images) ** 2 * mask).mean() / share


# %% wrong="fills in the truth where it was hidden" says="the *visible* pixels"
def masked_loss(reconstruction, images, mask):
    said = torch.where(mask, images, reconstruction)
    return F.mse_loss(said, images, reduction="sum") / mask.sum().clamp(min=1)
