"""Turning what the parts of a network say into one honest probability, by labels that trained none of them."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

TEMPERATURES = torch.linspace(0.5, 5.0, 451)  # at most twice as sure as the network was
SHARES = torch.linspace(0.0, 1.0, 21)  # of the second part beside the first, both in their standard deviations


def factors(logits: dict[str, Tensor], labels: Tensor) -> dict[str, float]:
    """What to multiply each part's logits by, so that their sum fits the labels best.

    For one part that is temperature scaling (Guo et al., 2017, "On Calibration of Modern Neural Networks"), which
    changes no decision; for two it also chooses the second part's share. All values in reach are tried, which ends
    well for labels of any kind, such as those that the logits separate without a mistake.

    Args:
        logits: by the part's name, float32 `[reviews]`; one part or two.
        labels: 0 or 1, float32 `[reviews]`.
    """
    parts = list(logits)
    first, last = logits[parts[0]], logits[parts[-1]]
    spread = (first.std() / last.std().clamp(min=1e-6)).item()
    tried = []
    for share in SHARES.tolist() if len(parts) > 1 else [0.0]:
        mixed = first + share * spread * last
        losses = [binary_cross_entropy_with_logits(mixed / value, labels).item() for value in TEMPERATURES]
        tried.append((min(losses), share, TEMPERATURES[losses.index(min(losses))].item()))
    _, share, temperature = min(tried)
    return dict(zip(parts, (1 / temperature, share * spread / temperature), strict=False))
