# %% right="torch's own, behind the guard"
def squared_error(prediction, target, reduction="mean"):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("choose mean, sum or none")
    if prediction.size() != target.size():
        raise ValueError("shapes")
    return F.mse_loss(prediction, target, reduction=reduction)


# %% right="a dictionary of reductions"
def squared_error(prediction, target, reduction="mean"):
    ways = {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}
    if reduction not in ways:
        raise ValueError(f"reduction must be one of {sorted(ways)}")
    if tuple(prediction.shape) != tuple(target.shape):
        raise ValueError("prediction and target must have equal shapes")
    difference = prediction - target
    return ways[reduction](difference * difference)


# %% right="sum over the number of entries, match statement"
def squared_error(prediction, target, reduction="mean"):
    if list(prediction.shape) != list(target.shape):
        raise ValueError
    loss = torch.square(target - prediction)
    match reduction:
        case "mean":
            return torch.sum(loss) / loss.numel()
        case "sum":
            return torch.einsum("i->", loss.reshape(-1))
        case "none":
            return loss
        case _:
            raise ValueError("mean | sum | none")


# %% wrong="mean over the batch only" says="Average over all numbers"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    loss = (prediction - target) ** 2
    if reduction == "mean":
        return loss.sum() / len(loss)
    return loss.sum() if reduction == "sum" else loss


# %% wrong="no guard against broadcasting" says="Shapes (4, 1) and (4,) broadcast"
def squared_error(prediction, target, reduction="mean"):
    loss = (prediction - target) ** 2
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return loss.mean()
    raise ValueError("mean, sum, none")


# %% wrong="compares the number of dimensions only" says="Shapes (3, 4) and (1, 4) differ"
def squared_error(prediction, target, reduction="mean"):
    if prediction.dim() != target.dim():
        raise ValueError("shapes")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    return F.mse_loss(prediction, target, reduction=reduction)


# %% wrong="compares the number of entries only" says="Shapes (5,) and (5, 1) differ"
def squared_error(prediction, target, reduction="mean"):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    if len(prediction.shape) > 1 and prediction.shape != target.shape:
        raise ValueError("shapes")
    return F.mse_loss(prediction, target, reduction=reduction)


# %% wrong="assert instead of ValueError" says="AssertionError"
def squared_error(prediction, target, reduction="mean"):
    assert prediction.shape == target.shape
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    return F.mse_loss(prediction, target, reduction=reduction)


# %% wrong="unknown reduction passes as none" says="should raise a ValueError"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    loss = (prediction - target) ** 2
    if reduction == "mean":
        return loss.mean()
    elif reduction == "sum":
        return loss.sum()
    return loss


# %% wrong="error without the names" says="should name all three"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    if reduction == "none":
        return (prediction - target) ** 2
    if reduction == "sum":
        return ((prediction - target) ** 2).sum()
    if reduction == "mean":
        return ((prediction - target) ** 2).mean()
    raise ValueError("bad reduction")


# %% wrong="not squared" says="Square each of them first"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    loss = (prediction - target).abs()
    return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[reduction]


# %% wrong="half the square" says="extra factor of ½"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    loss = 0.5 * (prediction - target) ** 2
    return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[reduction]


# %% wrong="a Python number" says="should give a Tensor"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    loss = (prediction - target) ** 2
    return {"mean": loss.mean().item(), "sum": loss.sum().item(), "none": loss}[reduction]


# %% wrong="cut off from autograd" says="cut off from autograd"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    loss = (prediction.detach() - target) ** 2
    return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[reduction]


# %% wrong="ignores the reduction" says="makes no difference"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    return (prediction - target).square().mean()


# %% wrong="no return" says="Is the `return` missing?"
def squared_error(prediction, target, reduction="mean"):
    loss = (prediction - target) ** 2
    loss.mean()


# %% right="expanded square, checks in the other order, early exits"
def squared_error(prediction, target, reduction="mean"):
    if not any(reduction == known for known in ("mean", "sum", "none")):
        raise ValueError("mean", "sum", "none")
    if [*prediction.shape] != [*target.shape]:
        raise ValueError(prediction.shape, target.shape)
    loss = torch.pow(torch.sub(target, prediction), 2.0)
    if reduction != "none":
        loss = loss.flatten().sum(0)
    return loss / prediction.numel() if reduction == "mean" else loss


# %% wrong="target reused in place" says="changed its arguments"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    target -= prediction
    loss = target**2
    return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[reduction]


# %% wrong="guard behind the subtraction" says="shapes (2, 3) and (3, 2)"
def squared_error(prediction, target, reduction="mean"):
    loss = (prediction - target) ** 2
    if loss.shape != prediction.shape or loss.shape != target.shape:
        raise ValueError("shapes")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[reduction]


# %% wrong="capitals let through" says="'Mean' should raise"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    if reduction.lower() not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    return F.mse_loss(prediction, target, reduction=reduction.lower())


# %% wrong="guard for the mean only" says="whatever the reduction"
def squared_error(prediction, target, reduction="mean"):
    loss = (prediction - target) ** 2
    if reduction == "none":
        return loss
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    if reduction not in ("mean", "sum"):
        raise ValueError("mean, sum, none")
    return loss.mean() if reduction == "mean" else loss.sum()


# %% wrong="computes in float32" says="Only the digits of float32"
def squared_error(prediction, target, reduction="mean"):
    if prediction.shape != target.shape:
        raise ValueError("shapes")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("mean, sum, none")
    loss = F.mse_loss(prediction.float(), target.float(), reduction=reduction)
    return loss.to(prediction.dtype)
