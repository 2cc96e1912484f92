#!/usr/bin/env python3
"""Captures what MIT's gss-client and gss-server say to each other, once per enctype, with the server's keytab.

    python3 capture.py FOLDER

Needs Debian's krb5-kdc, krb5-admin-server, krb5-user and krb5-gss-samples. Everything happens on 127.0.0.1 and in a
temporary folder: a throw-away realm whose keys are worthless afterwards. A relay between client and server copies
each token with who sent it.
"""
import os, shutil, socket, subprocess, sys, tempfile, threading, time

ENCTYPES = {
    'aes128-cts-hmac-sha1-96': 'aes128-cts',
    'aes256-cts-hmac-sha1-96': 'aes256-cts',
    'aes128-cts-hmac-sha256-128': 'aes128-sha2',
    'aes256-cts-hmac-sha384-192': 'aes256-sha2',
}
MESSAGE = 'What is the answer?'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def run(words, env, text=None):
    done = subprocess.run(words, env=env, input=text, text=True, capture_output=True, timeout=60)
    if done.returncode:
        raise SystemExit(f'{words} failed:\n{done.stdout}{done.stderr}')


class Realm:
    def __init__(self, enctype):
        d = self.folder = tempfile.mkdtemp(prefix='capture-')
        port = free_port()
        with open(f'{d}/krb5.conf', 'w') as f:
            f.write(f'''[libdefaults]
 default_realm = MIT.TEST
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 forwardable = true
 permitted_enctypes = {enctype}
[realms]
 MIT.TEST = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = MIT.TEST
''')
        with open(f'{d}/kdc.conf', 'w') as f:
            f.write(f'''[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 MIT.TEST = {{
  database_name = {d}/principal
  key_stash_file = {d}/stash
  master_key_type = {enctype}
  supported_enctypes = {enctype}:normal
 }}
''')
        self.env = dict(PATH='/usr/sbin:/usr/bin:/sbin:/bin', HOME=d, TMPDIR=d, LC_ALL='C',
                        KRB5_CONFIG=f'{d}/krb5.conf', KRB5_KDC_PROFILE=f'{d}/kdc.conf',
                        KRB5CCNAME=f'FILE:{d}/ccache', KRB5_KTNAME=f'FILE:{d}/keytab', KRB5RCACHEDIR=d)
        run(['kdb5_util', 'create', '-s', '-W', '-P', 'master'], self.env)
        run(['kadmin.local', 'addprinc', '-pw', 'userpw', 'user'], self.env)
        run(['kadmin.local', 'addprinc', '-randkey', 'host/localhost'], self.env)
        run(['kadmin.local', 'ktadd', '-k', f'{d}/keytab', 'host/localhost'], self.env)
        self.kdc = subprocess.Popen(['krb5kdc', '-n'], env=self.env,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(port)
        run(['kinit', '-f', 'user'], self.env, 'userpw\n')

    def stop(self):
        self.kdc.terminate()
        self.kdc.wait(10)
        shutil.rmtree(self.folder)


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit('nothing listens')


class Relay:
    """Carries one connection to `port`, and keeps (sender, flags, token) of each of its tokens."""

    def __init__(self, port):
        self.kept = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.carry, args=(port,))
        self.thread.start()

    def carry(self, port):
        client, _ = self.listener.accept()
        server = socket.create_connection(('127.0.0.1', port))
        ways = [threading.Thread(target=self.one_way, args=way)
                for way in ((client, server, 'initiator'), (server, client, 'acceptor'))]
        for way in ways:
            way.start()
        for way in ways:
            way.join()

    def one_way(self, source, sink, sender):
        with source.makefile('rb') as stream:
            while head := stream.read(5):
                token = stream.read(int.from_bytes(head[1:], 'big'))
                self.kept.append((sender, head[0], token))
                sink.sendall(head + token)
        sink.shutdown(socket.SHUT_WR)


def talk(realm, words):
    port = free_port()
    server = subprocess.Popen(['gss-server', '-port', str(port), '-logfile', f'{realm.folder}/log', 'host@localhost'],
                              env=realm.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # The kernel's table tells, for a connection would be the server's first client.
        for _ in range(200):
            with open('/proc/net/tcp') as table:
                if any(f':{port:04X} ' in line and ' 0A ' in line for line in table):
                    break
            time.sleep(0.05)
        relay = Relay(port)
        now = int(time.time())
        run(['gss-client', '-port', str(relay.port), *words, 'localhost', 'host@localhost', MESSAGE], realm.env)
        relay.thread.join(20)
        return now, relay.kept
    finally:
        server.terminate()
        server.wait(10)


# Flags of the samples' framing: what a token is.
CONTEXT, DATA, MIC, WRAPPED, ENCRYPTED, SEND_MIC = 0x02, 0x04, 0x08, 0x20, 0x40, 0x80


def capture(name, enctype, folder):
    realm = Realm(enctype)
    try:
        with open(f'{folder}/{name}.txt', 'w') as out:
            version = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', 'krb5-gss-samples'],
                                     capture_output=True, text=True).stdout
            out.write(f'# {name}: gss-client and gss-server of Debian krb5-gss-samples {version}; capture.py\n')
            with open(f'{realm.folder}/keytab', 'rb') as keytab:
                out.write(f'keytab {keytab.read().hex()}\n')
            out.write(f'message {MESSAGE.encode().hex()}\n')
            for title, words in (('sealed', ['-mcount', '2', '-seq']), ('signed', ['-nx', '-d']), ('oneway', ['-nomutual'])):
                now, kept = talk(realm, words)
                out.write(f'\nconversation {title}\ntime {now}\n')
                for sender, flags, token in kept:
                    if not token or token == b'\0':
                        continue
                    if flags & CONTEXT:
                        kind = 'request' if sender == 'initiator' else 'reply'
                    elif flags & MIC and sender == 'acceptor':
                        kind = 'mic'
                    elif flags & ENCRYPTED:
                        kind = 'sealed'
                    elif flags & WRAPPED:
                        kind = 'signed'
                    else:
                        kind = f'flags-{flags:02x}'
                    out.write(f'{kind} {token.hex()}\n')
    finally:
        realm.stop()


if __name__ == '__main__':
    for name, enctype in ENCTYPES.items():
        capture(name, enctype, sys.argv[1])
