"""A service that acts for users, on whatever library of the GSS-API this runs on.

The default cache is the service HTTP/web's, the default keytab has all services, and CACHE, the only argument, is
alice's. Says whom an acceptor takes the initiator for: of contexts that the service initiates as alice, whom it named
itself; as alice, who came; and by what it stored of the latter.
"""

import sys

import gssapi

PRINCIPAL = gssapi.NameType.kerberos_principal
REALM = "@S4U.TEST"


def named(name):
    return gssapi.Name(name + REALM, PRINCIPAL)


def accepted(credentials, target, acceptor=None):
    """The acceptor's end of a context with `target`."""
    here = gssapi.SecurityContext(name=named(target), creds=credentials, usage="initiate", flags=0)
    there = gssapi.SecurityContext(creds=acceptor, usage="accept")
    there.step(here.step())
    return there


def speak(credentials):
    print(accepted(credentials, "db/localhost").initiator_name)


speak(gssapi.Credentials(usage="initiate").impersonate(named("alice")))
came = gssapi.Credentials(store={"ccache": "FILE:" + sys.argv[1]}, usage="initiate")
delegated = accepted(came, "HTTP/web", gssapi.Credentials(usage="both")).delegated_creds
speak(delegated)
store = {"ccache": "FILE:" + sys.argv[1] + ".stored"}
delegated.store(store=store, usage="initiate", overwrite=True)
speak(gssapi.Credentials(store=store, usage="initiate"))
