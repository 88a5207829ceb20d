# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A photo in, a painting out: the style-transfer service of one region."""

__version__ = "0.1.0"

#: Goes into every result id: change it when the network or anything else that shapes a picture changes.
MODEL_VERSION = "multistyle26-2"
