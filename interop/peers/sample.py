"""One end of the krb5-gss-samples protocol on MIT's library, with what the samples can't do: channel bindings.

  sample.py client PORT BINDINGS MESSAGE     BINDINGS: text, or - for none
  sample.py server PORT BINDINGS             prints "starting..." once it listens; serves one connection

A token is one octet of flags, four octets of length (big-endian), and its content.
"""
import socket
import struct
import sys

import gssapi
from gssapi.raw import ChannelBindings, GSSError

NOOP, CONTEXT, DATA, MIC, CONTEXT_NEXT, WRAPPED, ENCRYPTED, SEND_MIC = (1 << bit for bit in range(8))
KRB5 = gssapi.MechType.kerberos
SERVICE = gssapi.Name("host@localhost", gssapi.NameType.hostbased_service)


def send(sock, flags, octets):
    sock.sendall(struct.pack(">BI", flags, len(octets)) + octets)


def exactly(sock, count):
    octets = b""
    while len(octets) < count:
        more = sock.recv(count - len(octets))
        if not more:
            raise EOFError("the peer closed the connection")
        octets += more
    return octets


def receive(sock):
    flags, length = struct.unpack(">BI", exactly(sock, 5))
    return flags, exactly(sock, length)


def bindings(text):
    return None if text == "-" else ChannelBindings(application_data=text.encode())


def client(port, bound, message):
    sock = socket.create_connection(("127.0.0.1", port), 10)
    wanted = gssapi.RequirementFlag
    context = gssapi.SecurityContext(
        name=SERVICE, mech=KRB5, usage="initiate", channel_bindings=bindings(bound),
        flags=wanted.mutual_authentication | wanted.replay_detection | wanted.confidentiality | wanted.integrity)
    send(sock, NOOP | CONTEXT_NEXT, b"")
    token = context.step()
    while True:
        if token:
            send(sock, CONTEXT, token)
        if context.complete:
            break
        token = context.step(receive(sock)[1])
    for sealed in (True, False):
        wrapped = context.wrap(message.encode(), sealed).message
        send(sock, DATA | WRAPPED | SEND_MIC | (ENCRYPTED if sealed else 0), wrapped)
        context.verify_signature(message.encode(), receive(sock)[1])
        print("Signature verified.", flush=True)
    send(sock, NOOP, b"")


def server(port, bound):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print("starting...", flush=True)
    sock, _ = listener.accept()
    context = gssapi.SecurityContext(usage="accept", channel_bindings=bindings(bound))
    receive(sock)
    while not context.complete:
        token = context.step(receive(sock)[1])
        if token:
            send(sock, CONTEXT, token)
    print('Accepted connection: "%s"' % context.initiator_name, flush=True)
    while True:
        flags, octets = receive(sock)
        if flags & NOOP:
            break
        message = context.unwrap(octets).message if flags & WRAPPED else octets
        print('Received message: "%s"' % message.decode(), flush=True)
        if flags & SEND_MIC:
            send(sock, MIC, context.get_signature(message))


try:
    role, port, bound, *rest = sys.argv[1:]
    {"client": client, "server": server}[role](int(port), bound, *rest)
except (GSSError, EOFError) as error:
    token = getattr(error, "token", None)
    print("refused: %s" % error, flush=True)
    sys.exit(1)
