# %% right="two formulas, the last epoch apart"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in {"linear", "exponential"}:
        raise ValueError(shape)
    if epochs == 1:
        return initial
    if epoch >= epochs - 1:
        return final
    if shape == "linear":
        return initial - (initial - final) * epoch / (epochs - 1)
    delta = (final / initial) ** (1 / (epochs - 1))
    return initial * delta**epoch


# %% right="a list, looked up"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape == "linear":
        rates = np.linspace(initial, final, epochs)
    elif shape == "exponential":
        rates = np.geomspace(initial, final, epochs)
    else:
        raise ValueError(f"unknown shape {shape}")
    return float(rates[min(epoch, epochs - 1)])


# %% right="the line in the logarithm"
def decay_to(epoch: int, epochs: int, initial: float, final: float, shape: str = "linear"):
    match shape:
        case "linear":
            there, back = float, float
        case "exponential":
            there, back = math.log, math.exp
        case _:
            raise ValueError("linear or exponential")
    share = min(epoch, epochs - 1) / max(epochs - 1, 1)
    return back((1 - share) * there(initial) + share * there(final))


# %% right="torch.lerp"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape != "linear" and shape != "exponential":
        raise ValueError
    ends = torch.tensor([initial, final], dtype=torch.float64)
    share = min(1.0, epoch / (epochs - 1)) if epochs != 1 else 0.0
    if shape == "linear":
        return torch.lerp(ends[0], ends[1], share).item()
    return torch.lerp(ends.log()[0], ends.log()[1], share).exp().item()


# %% right="a loop"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("exponential", "linear"):
        raise ValueError("shape")
    rate, gaps = initial, epochs - 1
    for _ in range(min(epoch, gaps)):
        rate = rate + (final - initial) / gaps if shape == "linear" else rate * (final / initial) ** (1 / gaps)
    return rate


# %% wrong="divides by the epochs" says="five epochs have four gaps"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("linear", "exponential"):
        raise ValueError(shape)
    share = min(epoch / epochs, 1)
    if shape == "linear":
        return initial - (initial - final) * share
    return initial * (final / initial) ** share


# %% wrong="the book's pair" says="five epochs have four gaps"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape == "linear":
        return initial - (initial - final) * epoch / epochs
    if shape == "exponential":
        return initial * (final / initial) ** (epoch / (epochs - 1))
    raise ValueError(shape)


# %% wrong="exponent over the epochs" says="The constant factor is off"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape == "linear":
        return initial - (initial - final) * min(1, epoch / max(1, epochs - 1))
    if shape == "exponential":
        return initial * (final / initial) ** min(1, epoch / epochs)
    raise ValueError(shape)


# %% wrong="ignores shape" says="`shape` makes no difference"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    return initial - (initial - final) * min(1, epoch / max(1, epochs - 1))


# %% wrong="quotient upside down" says="The factor is upside down"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(1, epoch / max(1, epochs - 1))
    if shape == "linear":
        return initial - (initial - final) * share
    if shape == "exponential":
        return initial * (initial / final) ** share
    raise ValueError(shape)


# %% wrong="whole quotient for each gap" says="each has a root of it"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape == "linear":
        return initial - (initial - final) * min(1, epoch / max(1, epochs - 1))
    if shape == "exponential":
        return initial * (final / initial) ** epoch
    raise ValueError(shape)


# %% wrong="does not stay" says="Past the last epoch the rate should stay"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = epoch / (epochs - 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return initial * (final / initial) ** share
    raise ValueError(shape)


# %% wrong="divides by zero" says="a single epoch, shape="
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("linear", "exponential"):
        raise ValueError(shape)
    share = min(epoch / (epochs - 1), 1)
    if shape == "linear":
        return initial + (final - initial) * share
    return initial * (final / initial) ** share


# %% wrong="a single epoch at the final rate" says="A single epoch should run at `initial`"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("linear", "exponential"):
        raise ValueError(shape)
    if epoch >= epochs - 1:
        return final
    share = epoch / (epochs - 1)
    return initial + (final - initial) * share if shape == "linear" else initial * (final / initial) ** share


# %% wrong="any other shape is exponential" says="should be a ValueError"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    return initial * (final / initial) ** share


# %% wrong="another error" says="KeyError"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 0
    return {
        "linear": initial + (final - initial) * share,
        "exponential": initial * (final / initial) ** share,
    }[shape]


# %% wrong="returns the error" says="should be a ValueError"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return initial * (final / initial) ** share
    return ValueError("shape")


# %% wrong="checks the shape too late" says="in the first epoch too"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if epoch == 0 or epochs == 1:
        return initial
    share = min(epoch / (epochs - 1), 1)
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return initial * (final / initial) ** share
    raise ValueError(shape)


# %% wrong="a single epoch comes before the shape" says="with a single epoch too"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if epochs == 1:
        return initial
    share = min(epoch / (epochs - 1), 1)
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return initial * (final / initial) ** share
    raise ValueError(shape)


# %% wrong="the end comes before the shape" says="past the last epoch too"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if epoch and epoch >= epochs - 1:
        return final
    if shape == "linear":
        return initial + (final - initial) * epoch / max(epochs - 1, 1)
    if shape == "exponential":
        return initial * (final / initial) ** (epoch / max(epochs - 1, 1))
    raise ValueError(shape)


# %% wrong="clamps the rate" says="`final` is larger than `initial`"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("linear", "exponential"):
        raise ValueError(shape)
    if epochs == 1:
        return initial
    share = epoch / (epochs - 1)
    rate = initial - (initial - final) * share if shape == "linear" else initial * (final / initial) ** share
    return max(rate, final)


# %% wrong="counts epochs from one" says="The first of five epochs, number 0"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min((epoch - 1) / (epochs - 1), 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return initial * (final / initial) ** share
    raise ValueError(shape)


# %% wrong="from final to initial" says="The first of five epochs, number 0"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 1
    if shape == "linear":
        return final + (initial - final) * share
    if shape == "exponential":
        return final * (initial / final) ** share
    raise ValueError(shape)


# %% wrong="e to the power" says="with a constant factor, the middle epoch"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return final + (initial - final) * math.exp(-5 * share)
    raise ValueError(shape)


# %% wrong="float32 of tiny rates is fine, a sum is not" says="`final` below `initial`"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    if shape == "exponential":
        return initial * max(final / initial, 1e-6) ** share
    raise ValueError(shape)


# %% wrong="forgets to return" says="Is the `return` missing"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    share = min(epoch / (epochs - 1), 1) if epochs > 1 else 0
    initial + (final - initial) * share


# %% wrong="a slip of precedence" says="with a constant factor, the middle epoch"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("linear", "exponential"):
        raise ValueError(shape)
    if epochs == 1:
        return initial
    epoch = min(epoch, epochs - 1)
    if shape == "linear":
        return initial + (final - initial) * epoch / (epochs - 1)
    return initial * (final / initial) ** epoch / (epochs - 1)


# %% wrong="stays one epoch too late" says="Past the last epoch the rate should stay"
def decay_to(epoch, epochs, initial, final, shape="linear"):
    if shape not in ("linear", "exponential"):
        raise ValueError(shape)
    share = min(epoch, epochs) / (epochs - 1) if epochs > 1 else 0
    if shape == "linear":
        return initial + (final - initial) * share
    return initial * (final / initial) ** share
