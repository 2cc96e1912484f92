"""A client of dynamic updates (RFC 2136) that keeps its GSS-TSIG context (RFC 3645) as long as it runs.

    dns_update.py PORT ZONE

It agrees on a context with the name server on 127.0.0.1, says "agreed", and for each line "NAME ADDRESS" of its
standard input sends a signed update in that one context. It prints the answer's code; the answer's signature was
verified then. Of an answer that it does not take it prints the reason.
"""

import sys
import time
import uuid

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TKEY
import dns.tsig
import dns.update
import gssapi

GSS_TSIG = dns.name.from_text("gss-tsig.")
BY_GSS_API = 3


def question(name, token, keys):
    now = int(time.time())
    tkey = dns.rdtypes.ANY.TKEY.TKEY(
        dns.rdataclass.ANY, dns.rdatatype.TKEY, GSS_TSIG, now, now, BY_GSS_API, dns.rcode.NOERROR, token, b""
    )
    message = dns.message.make_query(name, dns.rdatatype.TKEY, dns.rdataclass.ANY)
    message.keyring = keys
    message.find_rrset(dns.message.ADDITIONAL, name, dns.rdataclass.ANY, dns.rdatatype.TKEY, create=True).add(tkey)
    return message


def agree(port):
    target = gssapi.Name("DNS@localhost", gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=target, usage="initiate")
    name = dns.name.from_text(f"{uuid.uuid4()}.localhost")
    keys = dns.tsig.GSSTSigAdapter({name: dns.tsig.Key(name, context, GSS_TSIG)})
    token = context.step()
    while not context.complete:
        answer = dns.query.tcp(question(name, token, keys), "127.0.0.1", timeout=20, port=port)
        # The adapter may have stepped already, to verify the answer that brought the token.
        if not context.complete:
            token = context.step(answer.answer[0][0].key)
    return name, keys


def main(port, zone):
    name, keys = agree(port)
    print("agreed", flush=True)
    for line in sys.stdin:
        host, address = line.split()
        update = dns.update.Update(zone, keyring=keys, keyname=name, keyalgorithm=GSS_TSIG)
        update.replace(host, 60, "A", address)
        try:
            answer = dns.query.tcp(update, "127.0.0.1", timeout=20, port=port)
            print(host, dns.rcode.to_text(answer.rcode()), "signed" if answer.had_tsig else "bare", flush=True)
        except dns.exception.DNSException as error:
            print(host, type(error).__name__, error, flush=True)


main(int(sys.argv[1]), sys.argv[2])
