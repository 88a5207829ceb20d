# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The published network as one writes it in PyTorch: eager mode, its own padding, convolution and normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
EPSILON = 1e-5


class TorchNetwork:
    """Runs on one thread. Import errors of torch come through."""

    def __init__(self, weights: Mapping[str, FloatArray]) -> None:
        import torch

        torch.set_num_threads(1)
        self._torch: Any = torch
        self._weights = {name: torch.tensor(value) for name, value in weights.items()}

    def __call__(self, image: FloatArray, style: FloatArray) -> FloatArray:
        """Stylise ``image`` (1, 3, height, width) of 0..1 with 26 weights of styles."""
        with self._torch.inference_mode():
            painted = self._forward(self._torch.from_numpy(image), self._torch.from_numpy(style))
        return np.asarray(painted.numpy())

    def _forward(self, value: Any, style: Any) -> Any:
        functional = self._torch.nn.functional
        for layer, stride in (("contract.0", 1), ("contract.1", 2), ("contract.2", 2)):
            value = self._layer(value, layer, style, stride).relu()
        for block in range(6):
            inner = self._layer(value, f"res.{block}.0", style).relu()
            value = value + self._layer(inner, f"res.{block}.1", style)
        for layer in ("expand.0", "expand.1"):
            value = functional.interpolate(value, scale_factor=2, mode="nearest")
            value = self._layer(value, layer, style).relu()
        return self._layer(value, "expand.2", style).sigmoid()

    def _layer(self, value: Any, name: str, style: Any, stride: int = 1) -> Any:
        functional = self._torch.nn.functional
        kernel = self._weights[f"{name}.w"]
        reach = kernel.shape[-1] // 2
        value = functional.conv2d(functional.pad(value, (reach,) * 4, mode="reflect"), kernel, stride=stride)
        gamma, beta = style @ self._weights[f"{name}.norm.gamma"], style @ self._weights[f"{name}.norm.beta"]
        return functional.instance_norm(value, weight=gamma, bias=beta, eps=EPSILON)
