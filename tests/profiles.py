"""Hypothesis profiles: how many examples a test tries, and which."""

from hypothesis import HealthCheck, settings

# No test has a time limit: neither a deadline for an example nor one for drawing it.
UNTIMED = settings(
    settings.get_profile("default"), deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
NORMAL = UNTIMED.max_examples


def register() -> None:
    """Tell Hypothesis the names of the profiles."""
    settings.register_profile("default", UNTIMED)
    settings.register_profile("quick", UNTIMED, max_examples=10)
    settings.register_profile("thorough", UNTIMED, max_examples=50 * NORMAL)
    settings.register_profile("ci", UNTIMED, derandomize=True)  # the same each time: chance belongs to developers


def examples(count: int) -> settings:
    """Return settings for a test that tries `count` examples in the normal profile, in others as many more or less."""
    return settings(max_examples=max(1, count * settings().max_examples // NORMAL))
