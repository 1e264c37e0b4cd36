"""The model of scaling, against a simulation of what each device sends, and its limits."""

import pytest

from rnn_jax.ahead.scaling import V5E, Links, all_reduce_seconds, step

LINKS = Links(pod=4, inside=1e9, outside=1e8, hosted=4, clock=1e9)


def ring_seconds(size, devices, rate):
    """Each device passes on one of n parts, n - 1 times to add them up, and n - 1 times to tell the sums."""
    return sum(size / devices / rate for _ in range(2 * (devices - 1)))


@pytest.mark.parametrize("devices", [2, 3, 4])
def test_within_a_pod_it_is_a_ring(devices):
    assert all_reduce_seconds(LINKS, 10**9, devices) == pytest.approx(ring_seconds(1e9, devices, 1e9))


def test_between_pods_each_device_exchanges_its_part():
    expected = ring_seconds(1e9, 4, 1e9) + ring_seconds(1e9 / 4, 2, 1e8)
    assert all_reduce_seconds(LINKS, 10**9, 8) == pytest.approx(expected)


def test_one_device_exchanges_nothing():
    assert all_reduce_seconds(LINKS, 10**9, 1) == 0
    assert step(LINKS, 10**6, 10**9, 1).efficiency == 1


def test_more_devices_are_never_more_efficient():
    found = [step(V5E, 10**7, 10**8, devices).efficiency for devices in (1, 2, 8, 256, 512, 4096)]
    assert found == sorted(found, reverse=True)
    assert step(V5E, 10**7, 10**6, 256).examples_of_a_host(V5E, 32) == pytest.approx(
        8 * 32 / (10**7 / 1.503e9), rel=0.01
    )
