# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What turns the published network into the one that the service runs; needed at build time only."""
