"""The settings: one table that gives each its name, type, default and help.

A value comes from the file `fireside.toml` in the data folder, from the environment (`FIRESIDE_MAX_BODY_BYTES` for
`max_body_bytes`), or from a flag, the later winning. A list is an array in the file, a text with commas or line ends
between its values in the environment, and a flag that may be given again. Unknown names are errors, and all problems
are told at once, before anything starts. docs/settings.md is printed from this table.
"""

from fireside.config.pools import pools_of
from fireside.config.rows import Setting, settings, variable_of, without_secrets
from fireside.config.sources import ConfigError, Loaded, Origin, load_config, load_settings
from fireside.config.table import MOST_DAYS, MOST_QUOTA, Config

__all__ = [
    "MOST_DAYS",
    "MOST_QUOTA",
    "Config",
    "ConfigError",
    "Loaded",
    "Origin",
    "Setting",
    "load_config",
    "load_settings",
    "pools_of",
    "settings",
    "variable_of",
    "without_secrets",
]
