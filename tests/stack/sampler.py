#!/usr/bin/python3
"""sampler PORT...: watches, fifty times a second, which of these ports are listened on, until SIGTERM.

Prints how many samples there were, how many of the ports were down at once at most, how often each went down,
and the order in which they did."""
import signal
import sys
import time

ports = [int(port) for port in sys.argv[1:]]
over = False


def stop(*_):
    global over
    over = True


def listening():
    found = set()
    for table in "/proc/net/tcp", "/proc/net/tcp6":
        with open(table, encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[3] == "0A":
                    found.add(int(fields[1].rsplit(":", 1)[1], 16))
    return found


signal.signal(signal.SIGTERM, stop)
samples, worst, down, order = 0, 0, set(), []
while not over:
    found = listening()
    now = {port for port in ports if port not in found}
    order += sorted(now - down)
    down = now
    worst = max(worst, len(down))
    samples += 1
    time.sleep(0.02)
print(f"samples={samples} worst={worst} order={','.join(str(port) for port in order)}")
