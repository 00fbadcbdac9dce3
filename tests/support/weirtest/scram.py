"""The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), server signature verified."""

import base64
import functools
import hashlib
import hmac
import os


@functools.lru_cache(maxsize=256)
def salted_password(password, salt, iterations):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)


def _hmac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class ScramClient:
    def __init__(self, password):
        self.password = password
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f"n=,r={self.nonce}"
        self.expected = b""

    def first(self):
        return ("n,," + self.bare).encode()

    def final(self, challenge):
        server_first = challenge.decode()
        fields = dict(part.split("=", 1) for part in server_first.split(","))
        assert fields["r"].startswith(self.nonce), "the server changed the client's nonce"
        salted = salted_password(
            self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        without_proof = f"c=biws,r={fields['r']}"
        signed = f"{self.bare},{server_first},{without_proof}".encode()
        client_key = _hmac(salted, b"Client Key")
        stored = hashlib.sha256(client_key).digest()
        proof = bytes(a ^ b for a, b in zip(client_key, _hmac(stored, signed)))
        self.expected = _hmac(_hmac(salted, b"Server Key"), signed)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, verdict):
        given = dict(part.split("=", 1) for part in verdict.decode().split(","))["v"]
        assert base64.b64decode(given) == self.expected, "the server's signature is wrong"
