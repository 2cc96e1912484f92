"""A plug-in of pytest: k5test's realms listen on loopback only, on ports that are free, so that several can be there."""

import socket

from k5test import realm

PORTS = 10  # as many as k5test takes in a row


def _free(base):
    held = []
    try:
        for port in range(base, base + PORTS):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                held.append(socket.socket(socket.AF_INET, kind))
                held[-1].bind(("127.0.0.1", port))
        return True
    except OSError:
        return False
    finally:
        for one in held:
            one.close()


def _base():
    while True:
        with socket.socket() as asked:
            asked.bind(("127.0.0.1", 0))
            base = asked.getsockname()[1]
        if base + PORTS < 65536 and _free(base):
            return base


_plain = realm.K5Realm.__init__


def _init(self, *args, **settings):
    here = "127.0.0.1:$port0"
    settings.setdefault("portbase", _base())
    settings.setdefault("krb5_conf", {"realms": {"$realm": {"kdc": here}}})
    settings.setdefault(
        "kdc_conf", {"realms": {"$realm": {"kdc_ports": here, "kdc_tcp_ports": here}}}
    )
    _plain(self, *args, **settings)


realm.K5Realm.__init__ = _init
