"""Both ends of a conversation by Python's binding of the GSS-API, and a web server that answers Negotiate.

    peer.py acceptor                  listens on a port that it prints
    peer.py initiator PORT STORE      speaks to it; keeps its credential in the cache STORE
    peer.py web                       listens on a port that it prints

An acceptor does what each frame asks: a letter, then octets. Whatever does not hold ends the program with a reason.
"""

import base64
import http.server
import socket
import socketserver
import struct
import sys

import gssapi
from gssapi import raw
from gssapi.raw import IOV, IOVBufferType as Piece

KERBEROS = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")
NEGOTIATION = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
SERVICE = gssapi.Name("host@localhost", gssapi.NameType.hostbased_service)
USUAL = (
    gssapi.RequirementFlag.mutual_authentication
    | gssapi.RequirementFlag.replay_detection
    | gssapi.RequirementFlag.out_of_sequence_detection
    | gssapi.RequirementFlag.confidentiality
    | gssapi.RequirementFlag.integrity
)
BINDINGS = raw.ChannelBindings(application_data=b"tls-exporter:" + bytes(32))


def send(connection, octets):
    connection.sendall(struct.pack(">I", len(octets)) + octets)


def exactly(connection, count):
    octets = b""
    while len(octets) < count:
        more = connection.recv(count - len(octets))
        if not more:
            raise EOFError
        octets += more
    return octets


def receive(connection):
    return exactly(connection, struct.unpack(">I", exactly(connection, 4))[0])


class Acceptor(socketserver.BaseRequestHandler):
    """One context, and then what each frame asks."""

    def handle(self):
        try:
            bound = receive(self.request) == b"bound"
            context = gssapi.SecurityContext(
                creds=gssapi.Credentials(usage="accept"),
                usage="accept",
                channel_bindings=BINDINGS if bound else None,
            )
            while not context.complete:
                send(self.request, context.step(receive(self.request)) or b"")
            while True:
                frame = receive(self.request)
                if frame[:1] == b"x":
                    context = gssapi.SecurityContext(token=context.export())
                    send(self.request, b"moved")
                else:
                    send(self.request, self.answer(context, frame[:1], frame[1:]))
        except EOFError:
            pass
        except Exception as error:
            print("refused:", error, flush=True)

    @staticmethod
    def answer(context, asked, octets):
        if asked == b"n":
            return str(context.initiator_name).encode()
        if asked == b"w":
            message = context.unwrap(octets)
            return context.wrap(message.message[::-1], message.encrypted).message
        if asked == b"m":
            length = struct.unpack(">I", octets[:4])[0]
            message, mic = octets[4 : 4 + length], octets[4 + length :]
            context.verify_signature(message, mic)
            return context.get_signature(message[::-1])
        if asked == b"d":
            return str(context.delegated_creds.name).encode()
        if asked == b"a":
            message = raw.unwrap_aead(context, octets, b"beside it")
            return raw.wrap_aead(context, message.message[::-1], b"beside it", message.encrypted).message
        raise ValueError(asked)


def connect(port, bound=False, **arguments):
    """A context with the acceptor."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    send(connection, b"bound" if bound else b"")
    arguments.setdefault("flags", USUAL)
    if bound:
        arguments["channel_bindings"] = BINDINGS
    context = gssapi.SecurityContext(name=SERVICE, usage="initiate", **arguments)
    token = context.step()
    while token:
        send(connection, token)
        if context.complete:
            receive(connection)
            break
        token = context.step(receive(connection))
    assert context.complete
    return connection, context


def ask(connection, asked, octets=b""):
    send(connection, asked + octets)
    return receive(connection)


def speak(connection, context):
    """Messages of many lengths, sealed and signed, and MICs."""
    for length in (0, 1, 15, 16, 17, 1000, 70000):
        message = bytes(number % 251 for number in range(length))
        for sealed in (True, False):
            answer = context.unwrap(ask(connection, b"w", context.wrap(message, sealed).message))
            assert answer.message == message[::-1] and answer.encrypted == sealed, length
        mic = ask(connection, b"m", struct.pack(">I", length) + message + context.get_signature(message))
        context.verify_signature(message[::-1], mic)


def pieces(connection, context):
    """A message in pieces is one that the other end reads whole, and the other way."""
    for sealed in (True, False):
        iov = IOV(Piece.header, b"in pieces", Piece.padding, Piece.trailer, std_layout=False)
        assert raw.wrap_iov(context, iov, sealed) == sealed
        token = b"".join(piece.value or b"" for piece in iov)
        back = ask(connection, b"w", token)
        sizes = IOV(Piece.header, b"in pieces", Piece.padding, Piece.trailer, std_layout=False)
        raw.wrap_iov_length(context, sizes, sealed)
        assert len(sizes[0].value or b"") == len(iov[0].value), "the header's length"
        # The answer has pieces of the same lengths.
        header, end = len(iov[0].value), len(iov[0].value) + len(b"in pieces")
        values = (Piece.header, back[:header]), (Piece.data, back[header:end]), (Piece.trailer, back[end:])
        parts = [(piece, False, octets) for piece, octets in values]
        opened = IOV(*parts, std_layout=False)
        result = raw.unwrap_iov(context, opened)
        assert result.encrypted == sealed and opened[1].value == b"seceip ni", opened[1].value
    whole = raw.wrap_aead(context, b"sealed", b"beside it", True).message
    answer = raw.unwrap_aead(context, ask(connection, b"a", whole), b"beside it")
    assert answer.message == b"delaes"
    signed = IOV(b"signed ", b"in pieces", Piece.mic_token, std_layout=False)
    raw.get_mic_iov(context, signed)
    mic = ask(connection, b"m", struct.pack(">I", 16) + b"signed in pieces" + signed[2].value)
    raw.verify_mic_iov(context, IOV(b"seceip ", b"ni dengis", (Piece.mic_token, False, mic), std_layout=False))


def refuses(what, wanted=gssapi.exceptions.GSSError):
    try:
        what()
    except wanted as error:
        assert str(error)
        return
    raise AssertionError("it should have been refused")


def contexts(port):
    for mechanism in (None, KERBEROS, NEGOTIATION):
        connection, context = connect(port, mech=mechanism)
        assert ask(connection, b"n") == b"alice@PROGRAMS.TEST"
        assert str(context.initiator_name) == "alice@PROGRAMS.TEST"
        assert context.lifetime > 0 and context.locally_initiated
        assert str(context.target_name).startswith("host/localhost@")
        speak(connection, context)
        pieces(connection, context)
        answer = ask(connection, b"w", context.wrap(b"spoilt", True).message)
        refuses(lambda: context.unwrap(answer[:-1] + bytes([answer[-1] ^ 1])))
        assert context.unwrap(answer).message == b"tliops"
        # Both ends move.
        assert ask(connection, b"x") == b"moved"
        context = gssapi.SecurityContext(token=context.export())
        speak(connection, context)
        connection.close()
    connection, context = connect(port, bound=True)
    speak(connection, context)
    connection, _ = connect(port, flags=USUAL | gssapi.RequirementFlag.delegate_to_peer)
    assert ask(connection, b"d") == b"alice@PROGRAMS.TEST"



def credentials(store):
    credential = gssapi.Credentials(usage="initiate")
    assert str(credential.name) == "alice@PROGRAMS.TEST" and credential.lifetime > 0
    assert KERBEROS in credential.mechs and credential.usage == "initiate"
    credential.store(store={"ccache": "FILE:" + store}, usage="initiate", mech=KERBEROS, overwrite=True)
    kept = gssapi.Credentials(usage="initiate", store={"ccache": "FILE:" + store})
    assert kept.name == credential.name
    copied = gssapi.Credentials(token=kept.export())
    assert copied.name == credential.name
    password = raw.acquire_cred_with_password(
        gssapi.Name("alice", gssapi.NameType.user), b"wonderland", mechs=[KERBEROS], usage="initiate"
    )
    assert password.lifetime > 0
    refuses(lambda: gssapi.Credentials(usage="initiate", store={"ccache": "FILE:" + store + ".absent"}))


def names():
    name = gssapi.Name("alice", gssapi.NameType.user)
    canonical = name.canonicalize(KERBEROS)
    assert str(canonical) == "alice@PROGRAMS.TEST"
    again = gssapi.Name(canonical.export(), gssapi.NameType.export)
    assert again.canonicalize(KERBEROS) == canonical
    composite = gssapi.Name(canonical.export(composite=True), gssapi.NameType.composite_export)
    assert composite.canonicalize(KERBEROS) == canonical
    assert canonical.is_mech_name and canonical.mech == KERBEROS
    assert raw.inquire_saslname_for_mech(KERBEROS).sasl_mech_name == b"GS2-KRB5"
    assert KERBEROS in raw.indicate_mechs_by_attrs()


class Web(http.server.BaseHTTPRequestHandler):
    """Answers who asks with a name, and everybody else with 401."""

    def do_GET(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Negotiate":
            context = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept")
            answer = base64.b64encode(context.step(base64.b64decode(token)) or b"").decode()
            if context.complete:
                return self.reply(200, "Negotiate " + answer, "Hello %s\n" % context.initiator_name)
        self.reply(401, "Negotiate", "Who are you?\n")

    def reply(self, status, challenge, text):
        self.send_response(status)
        self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def listen(handler):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print("listening on", server.server_address[1], flush=True)
    server.serve_forever()


if sys.argv[1] == "acceptor":
    listen(Acceptor)
elif sys.argv[1] == "web":
    listen(Web)
else:
    names()
    credentials(sys.argv[3])
    contexts(int(sys.argv[2]))
    print("all held")
