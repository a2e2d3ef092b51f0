# python/tests/conftest.py: what the tests share.
import pytest

import voxloom as vl


@pytest.fixture(autouse=True)
def same_configuration():
    """Every test leaves the configuration as it was."""
    before = {name: getattr(vl.config, name) for name in dir(vl.config)}
    yield
    for name, value in before.items():
        setattr(vl.config, name, value)
