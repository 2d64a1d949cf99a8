# %% right="relu plus the bounded rest"
def elu(z, alpha=1.0):
    left = torch.where(z > 0, torch.zeros_like(z), z)
    return torch.where(z > 0, z, 0 * z.clamp(-1, 1)) + alpha * torch.expm1(left)


# %% right="F.elu"
def elu(z, alpha=1.0):
    return F.elu(z, alpha)


# %% right="boolean indexing"
def elu(z, alpha=1.0):
    out = z.clone()
    left = z <= 0
    out[left] = alpha * torch.special.expm1(z[left])
    return out


# %% right="an autograd function of its own"
def elu(z, alpha=1.0):
    class Elu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return torch.where(z > 0, z, alpha * torch.expm1(z))

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return g * torch.where(z > 0, torch.ones_like(z), alpha * torch.exp(z))

    return Elu.apply(z)


# %% right="double where, in float64"
def elu(z, alpha=1.0):
    wide = z.double()
    safe = torch.where(wide > 0, 0.0, wide)
    return torch.where(wide > 0, wide, alpha * torch.expm1(safe)).to(z.dtype)


# %% wrong="where over exp" says="is nan"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * (z.exp() - 1))


# %% wrong="where over expm1" says="is nan"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * torch.expm1(z))


# %% wrong="clamped, but exp minus one" says="lost its digits"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * (torch.exp(z.clamp(max=0)) - 1))


# %% wrong="the result clamped, not the exponent" says="is nan"
def elu(z, alpha=1.0):
    return torch.relu(z) + (alpha * torch.expm1(z)).clamp(max=0) * (z <= 0)


# %% wrong="max and min" says="both parts are counted there"
def elu(z, alpha=1.0):
    return z.clamp_min(0) + alpha * torch.expm1(z.clamp_max(0))


# %% wrong="relu and relu" says="both parts switch off there"
def elu(z, alpha=1.0):
    return torch.relu(z) + alpha * torch.expm1(-torch.relu(-z))


# %% wrong="minimum shares the gradient" says="share the gradient of a tie"
def elu(z, alpha=1.0):
    zero = torch.zeros_like(z)
    return torch.where(z > 0, z, alpha * torch.expm1(torch.minimum(z, zero)))


# %% wrong="brackets" says="Mind the brackets"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * torch.exp(z.clamp(max=0)) - 1)


# %% wrong="no minus one" says="The -1 is missing"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * torch.exp(z.clamp(max=0)))


# %% wrong="alpha ignored" says="`alpha` makes no difference"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, torch.expm1(z.clamp(max=0)))


# %% wrong="alpha on both sides" says="α belongs to the left side only"
def elu(z, alpha=1.0):
    return alpha * torch.where(z > 0, z, torch.expm1(z.clamp(max=0)))


# %% wrong="alpha in the exponent" says="does not stand in the exponent"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, torch.expm1(alpha * z.clamp(max=0)))


# %% wrong="CELU" says="That is CELU"
def elu(z, alpha=1.0):
    return F.celu(z, alpha)


# %% wrong="sides swapped" says="sides are swapped"
def elu(z, alpha=1.0):
    return torch.where(z < 0, z, alpha * torch.expm1(z))


# %% wrong="sign" says="The sign is wrong on the left"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, -alpha * torch.expm1(z.clamp(max=0)))


# %% wrong="exponent cut off too early" says="elu(-1000) should be -1"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * torch.expm1(z.clamp(min=-3, max=0)))


# %% wrong="nan swept under the carpet" says="gradient should be 1 at z = 1000"
def elu(z, alpha=1.0):
    out = torch.where(z > 0, z, alpha * torch.expm1(z))
    if z.requires_grad:
        z.register_hook(lambda g: torch.nan_to_num(g, nan=0.0))
    return out


# %% wrong="in place" says="leaf"
def elu(z, alpha=1.0):
    z[z <= 0] = alpha * torch.expm1(z[z <= 0])
    return z


# %% wrong="in place through data" says="The input has changed"
def elu(z, alpha=1.0):
    z.data = torch.where(z > 0, z, alpha * torch.expm1(z.clamp(max=0))).data
    return z


# %% wrong="no gradient" says="does not require grad"
def elu(z, alpha=1.0):
    with torch.no_grad():
        return torch.where(z > 0, z, alpha * torch.expm1(z.clamp(max=0)))


# %% wrong="float64 is cut to float32" says="dtype of the input"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * torch.expm1(z.clamp(max=0))).float()


# %% wrong="no return" says="gives None"
def elu(z, alpha=1.0):
    torch.where(z > 0, z, alpha * torch.expm1(z.clamp(max=0)))


# %% right="tanh"
def elu(z, alpha=1.0):
    t = torch.tanh(z.clamp(max=0) / 2)
    return torch.where(z > 0, z, alpha * 2 * t / (1 - t))


# %% right="masked_scatter"
def elu(z, alpha=1.0):
    left = z <= 0
    return z.masked_scatter(left, alpha * torch.expm1(z.masked_select(left)))


# %% right="loop"
def elu(z, alpha=1.0):
    parts = [v if v > 0 else alpha * torch.expm1(v) for v in z.reshape(-1)]
    return torch.stack(parts).reshape(z.shape) if parts else z.clone()


# %% wrong="patched only very near 0" says="has lost its digits"
def elu(z, alpha=1.0):
    left = z.clamp(max=0)
    return torch.where(z > 0, z, alpha * torch.where(left > -2e-5, left, left.exp() - 1))


# %% wrong="through float64, still exp minus one" says="has lost its digits"
def elu(z, alpha=1.0):
    w = z.double()
    return torch.where(w > 0, w, alpha * (w.clamp(max=0).exp() - 1)).to(z.dtype)


# %% wrong="exponent held above -10" says="radients are wrong"
def elu(z, alpha=1.0):
    return torch.where(z > 0, z, alpha * torch.expm1(z.clamp(min=-10, max=0)))


# %% wrong="rounded to float32 inside" says="the digits of float32 only"
def elu(z, alpha=1.0):
    w = z.float()
    return torch.where(w > 0, w, alpha * torch.expm1(w.clamp(max=0))).to(z.dtype)


# %% wrong="in place, without gradients" says="The input has changed"
def elu(z, alpha=1.0):
    with torch.no_grad():
        z.copy_(torch.where(z > 0, z, alpha * torch.expm1(z.clamp(max=0))))
    return z
