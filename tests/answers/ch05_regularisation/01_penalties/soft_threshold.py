# %% right="takes away what is within reach"
def soft_threshold(v, amount):
    return v - v.clamp(-amount, amount)


# %% right="two relus"
def soft_threshold(v, amount):
    return torch.relu(v - amount) - torch.relu(-v - amount)


# %% right="torch's own"
def soft_threshold(v, amount):
    return F.softshrink(v, amount)


# %% right="where"
def soft_threshold(v: torch.Tensor, amount: float) -> torch.Tensor:
    smaller = torch.where(v > 0, v - amount, v + amount)
    return torch.where(v.abs() <= amount, torch.zeros_like(v), smaller)


# %% right="a mask"
def soft_threshold(v, amount):
    out = v.clone()
    out[v > amount] -= amount
    out[v < -amount] += amount
    out[v.abs() <= amount] = 0
    return out


# %% right="copysign and maximum"
def soft_threshold(v, amount):
    return torch.copysign(torch.maximum(v.abs() - amount, torch.zeros_like(v)), v)


# %% wrong="hard threshold" says="That is the hard threshold"
def soft_threshold(v, amount):
    return torch.where(v.abs() > amount, v, torch.zeros_like(v))


# %% wrong="hard threshold with equality" says="That is the hard threshold"
def soft_threshold(v, amount):
    return v * (v.abs() >= amount)


# %% wrong="sign lost" says="The sign of v got lost"
def soft_threshold(v, amount):
    return (v.abs() - amount).clamp(min=0)


# %% wrong="a relu" says="Negative numbers are cut off"
def soft_threshold(v, amount):
    return torch.relu(v - amount)


# %% wrong="a step of the subgradient" says="carried across the zero"
def soft_threshold(v, amount):
    return v - amount * v.sign()


# %% wrong="subtracts" says="You subtract t from all"
def soft_threshold(v, amount):
    return v - amount


# %% wrong="clamps" says="You cut off what is *larger*"
def soft_threshold(v, amount):
    return v.clamp(-amount, amount)


# %% wrong="in place" says="changes `v`"
def soft_threshold(v, amount):
    return v.sub_(v.clamp(-amount, amount))


# %% wrong="zeros written into v" says="changes `v`"
def soft_threshold(v, amount):
    v[v.abs() <= amount] = 0
    return v - amount * v.sign()


# %% wrong="always float32" says="dtype"
def soft_threshold(v, amount):
    return F.softshrink(v.float(), amount)


# %% wrong="a list" says="This should give a Tensor"
def soft_threshold(v, amount):
    return [max(abs(n) - amount, 0) * (1 if n > 0 else -1) for n in v.flatten().tolist()]


# %% wrong="no return" says="Is the `return` missing"
def soft_threshold(v, amount):
    v.sign() * (v.abs() - amount).clamp(min=0)


# %% wrong="smooth imitation" says="should become 1.5"
def soft_threshold(v, amount):
    return v * (1 - amount / (v.abs() + amount))


# %% wrong="divides by the size" says="With t = 0 nothing"
def soft_threshold(v, amount):
    return v * (1 - amount / v.abs()).clamp(min=0)


# %% wrong="loops over the first axis" says="your code raised"
def soft_threshold(v, amount):
    return torch.stack([x.sign() * max(x.abs() - amount, torch.tensor(0.0)) for x in v])


# %% wrong="zero amount taken for none" says="should be exactly 0"
def soft_threshold(v, amount):
    size = (v.abs() - amount).clamp(min=1e-12 if amount else 0)
    return v.sign() * size


# %% wrong="where, without a step towards 0" says="That is the hard threshold"
def soft_threshold(w, amount):
    return torch.where(w.abs() > amount, w, 0.0)


# %% wrong="where, and t subtracted on both sides" says="from a negative number t is not subtracted"
def soft_threshold(v, amount):
    return torch.where(v.abs() > amount, v - amount, 0.0)


# %% wrong="where, on one side only" says="Only numbers above t are changed"
def soft_threshold(v, amount):
    return torch.where(v > amount, v - amount, v)
