"""The pools of workers that the settings name, with everything that is wrong with them told together."""

from fireside.config.sources import ConfigError
from fireside.config.table import Config
from fireside.domain.pools import Pool, read_pool


def pools_of(config: Config) -> list[Pool]:
    """Give the pools in the order in which they are named; raises `ConfigError`."""
    pools: dict[str, Pool] = {}
    problems: list[str] = []
    for text in config.pools:
        try:
            pool = read_pool(text)
        except ValueError as error:
            problems.append(f"pools: {error}")
            continue
        if pool.name in pools:
            problems.append(f"pools: {pool.name} is named twice")
        elif any(pool.labels == other.labels for other in pools.values()):
            problems.append(f"pools: the workers of {pool.name} have the labels of another pool's")
        pools.setdefault(pool.name, pool)
    if problems:
        raise ConfigError("\n".join(problems))
    return list(pools.values())
