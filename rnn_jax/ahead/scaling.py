"""How training would scale over many accelerators: a model, of which no part is measured on them.

A step takes as long as its work on one device, which the compiler estimates, and then an all-reduce of all
gradients, which begins when the last is there (compilers overlap some of it). The all-reduce is the best that
there can be: each device sends and receives `2 (n - 1) / n` times the gradients, at the published rate of its
links. Devices are joined in pods; beyond one, gradients are first reduced within each pod, and then the parts
that each device has are exchanged with other pods, over the slower network of the data centre.
"""

from typing import NamedTuple


class Links(NamedTuple):
    """What joins devices, as published.

    Attributes:
        pod: devices that are joined by fast links.
        inside: bytes a second that a device sends within its pod, and receives as many at the same time.
        outside: bytes a second of a device's share of the network between pods.
        hosted: devices a host, which feeds them.
        clock: cycles a second.
    """

    pod: int
    inside: float
    outside: float
    hosted: int
    clock: float


# https://docs.cloud.google.com/tpu/docs/v5e: 400 GB/s in both directions together, 256 chips a pod with 6.4
# Tbit/s to others, 8 a host. 197 TFLOP/s are four units of 128 x 128 multiplications and additions a cycle.
V5E = Links(256, 200e9, 6.4e12 / 8 / 256, 8, 197e12 / (4 * 128 * 128 * 2))


def all_reduce_seconds(links: Links, size: int, devices: int) -> float:
    """How long it takes to add up `size` bytes over some devices, and to have the sum on each.

    Example:
        >>> all_reduce_seconds(Links(pod=4, inside=1e9, outside=1e8, hosted=4, clock=1e9), 10**9, devices=2)
        1.0
    """
    inside = min(devices, links.pod)
    pods = devices // inside
    seconds = 2 * (inside - 1) / inside * size / links.inside
    return seconds + 2 * (pods - 1) / pods * (size / inside) / links.outside


class Step(NamedTuple):
    """A step of training on many devices."""

    work: float  # seconds on each device
    exchange: float  # seconds

    @property
    def efficiency(self) -> float:
        """The share of the time that is work."""
        return self.work / (self.work + self.exchange)

    def examples_of_a_host(self, links: Links, batch: int) -> float:
        """Examples a second that a host must deliver to its devices, `batch` a step each."""
        return links.hosted * batch / (self.work + self.exchange)


def step(links: Links, cycles: int, exchanged: int, devices: int) -> Step:
    """A step on some devices.

    Args:
        links: between them.
        cycles: of one device, without the exchange.
        exchanged: bytes of the gradients.
        devices: how many; more than a pod has are whole pods.
    """
    return Step(cycles / links.clock, all_reduce_seconds(links, exchanged, devices))
