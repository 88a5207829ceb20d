# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernels that give the same pictures for fewer multiplications."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def upsampling_kernel(kernel: FloatArray) -> FloatArray:
    """Fold "repeat each pixel twice each way" into a 3x3 kernel.

    :param kernel: (out, in, 3, 3), meant for the enlarged picture.
    :returns: (out * 4, in, 2, 2) for the small picture padded by its edge; the four channels of one output are the
        2x2 block of enlarged pixels around the corner between four small ones, in the order DepthToSpace(CRD) wants.
    """
    out_channels, in_channels = kernel.shape[:2]
    # Enlarged row 2i-1 sees small rows (i-1, i-1, i); row 2i sees (i-1, i, i).
    fold = np.zeros((2, 2, 3), np.float32)
    fold[0, 0, :2] = 1
    fold[0, 1, 2] = 1
    fold[1, 0, 0] = 1
    fold[1, 1, 1:] = 1
    phases = np.einsum("pyk,qxl,oikl->opqiyx", fold, fold, kernel)
    return np.asarray(phases.reshape(out_channels * 4, in_channels, 2, 2), np.float32)


def half_size_kernel(kernel: FloatArray) -> FloatArray:
    """Turn a 9x9 kernel over a picture into a 5x5 kernel over its four phases.

    :param kernel: (out, in, 9, 9).
    :returns: (out * 4, 4 * in, 5, 5), out's phases ordered as DepthToSpace(CRD) takes them, in's as SpaceToDepth
        gives them.
    """
    out_channels, in_channels, size, _ = kernel.shape
    reach = size // 2
    folded = np.zeros((out_channels, 2, 2, 2, 2, in_channels, 5, 5), np.float32)
    for out_y in range(2):
        for out_x in range(2):
            for tap_y in range(size):
                for tap_x in range(size):
                    at_y, at_x = out_y + tap_y - reach, out_x + tap_x - reach
                    folded[:, out_y, out_x, at_y % 2, at_x % 2, :, at_y // 2 + 2, at_x // 2 + 2] += kernel[
                        :, :, tap_y, tap_x
                    ]
    return folded.reshape(out_channels * 4, in_channels * 4, 5, 5)
