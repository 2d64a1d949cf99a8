# %% right="in place on a copy"
def quantise_rows(weight, bits=8):
    if bits not in range(2, 9):
        raise ValueError("2 to 8 bits")
    top = 2 ** (bits - 1) - 1
    dims = tuple(range(1, weight.dim()))
    scale = weight.detach().abs().amax(dim=dims, keepdim=True) / top
    scale = scale.clone()
    scale[scale == 0] = 1
    codes = torch.round(weight.detach() / scale).to(torch.int8)
    return codes, scale.flatten()


# %% right="row by row"
def quantise_rows(weight, bits=8):
    if bits < 2 or bits > 8:
        raise ValueError(bits)
    top = (1 << bits - 1) - 1
    codes, scales = [], []
    with torch.no_grad():
        for row in weight:
            s = row.abs().max() / top
            if s == 0:
                s = torch.ones_like(s)
            scales.append(s)
            codes.append((row / s).round().clamp(-top, top).to(torch.int8))
    return torch.stack(codes), torch.stack(scales)


# %% right="with masked_fill, rounding by floor"
@torch.no_grad()
def quantise_rows(weight, bits=8):
    if not (2 <= bits <= 8):
        raise ValueError("bits")
    top = 2 ** (bits - 1) - 1
    flat = weight.reshape(weight.shape[0], -1)
    largest = torch.maximum(flat.max(1).values, -flat.min(1).values)
    scale = (largest / top).masked_fill(largest == 0, 1.0)
    codes = torch.floor(flat / scale.unsqueeze(1) + 0.5).clamp(-top, top)
    return codes.view_as(weight).type(torch.int8), scale


# %% wrong="128 for 127" says="You divide by 128"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1)
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round().clamp(-top + 1, top - 1)
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="one scale for the matrix" says="That is the scale of the whole matrix"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    scale = (weight.detach().abs().max() / top).expand(len(weight)).clone()
    codes = (weight.detach().flatten(1) / scale[:, None]).round()
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="forgets the absolute value" says="absolute values"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.detach().flatten(1)
    scale = rows.amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round().clamp(-top, top)
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="cuts off instead of rounding" says="cuts off instead of rounding"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None] * (1 + 1e-6)).to(torch.int8)
    return codes.reshape(weight.shape), scale


# %% wrong="nan for a row of zeros" says="should have the scale 1"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / top
    codes = (rows / scale[:, None]).round().clamp(-top, top)
    return codes.nan_to_num(0).to(torch.int8).reshape(weight.shape), scale


# %% wrong="a tiny number added" says="should have the scale 1"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / top + 1e-12
    codes = (rows / scale[:, None]).round().clamp(-top, top)
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="the columns' scales" says="One scale a row"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    scale = weight.detach().flatten(1).abs().amax(1, keepdim=True) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (weight.detach().flatten(1) / scale).round()
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="floating-point codes" says="should be torch.int8"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (rows / scale[:, None]).round().reshape(weight.shape), scale


# %% wrong="bits ignored" says="With 2 bits"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / 127
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round()
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="matrices only" says="The shape should be (4,)"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    scale = weight.detach().abs().max(dim=1).values / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (weight.detach() / scale[:, None]).round()
    return codes.to(torch.int8), scale


# %% wrong="no limit on bits" says="should raise a ValueError"
def quantise_rows(weight, bits=8):
    top = max(2 ** (bits - 1) - 1, 1)
    rows = weight.detach().flatten(1)
    scale = rows.abs().amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round().clamp(-top, top)
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="dequantised at once" says="Return two things"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    scale = weight.abs().amax(1, keepdim=True) / top
    return (weight / scale).round() * scale


# %% wrong="asymmetric" says="asymmetric form"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    rows = weight.detach().flatten(1)
    scale = (rows.amax(1) - rows.amin(1)) / (2**bits - 1)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round().clamp(-128, 127)
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="scales carry gradients" says="should carry no gradient"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.flatten(1)
    scale = rows.abs().amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round().clamp(-top, top)
    return codes.to(torch.int8).reshape(weight.shape), scale


# %% wrong="float32 scales" says="dtype of the weight"
def quantise_rows(weight, bits=8):
    if not 2 <= bits <= 8:
        raise ValueError
    top = 2 ** (bits - 1) - 1
    rows = weight.detach().float().flatten(1)
    scale = rows.abs().amax(1) / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = (rows / scale[:, None]).round().clamp(-top, top)
    return codes.to(torch.int8).reshape(weight.shape), scale
