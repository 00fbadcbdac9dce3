"""RSA-OAEP with SHA-1 (RFC 8017) under a public key in PEM: how caching_sha2_password hides a
password on a connection without TLS."""

import base64
import hashlib
import os


def _element(data, at):
    """(tag, content, next) of the DER element at `at`."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size, at = int.from_bytes(data[at:at + width], "big"), at + width
    return tag, data[at:at + size], at + size


def public_numbers(pem):
    """Modulus and exponent of a SubjectPublicKeyInfo."""
    body = "".join(line for line in pem.decode().splitlines() if not line.startswith("-----"))
    _, info, _ = _element(base64.b64decode(body), 0)
    _, _, after = _element(info, 0)
    _, bits, _ = _element(info, after)
    _, key, _ = _element(bits, 1)  # the first byte counts unused bits
    _, modulus, after = _element(key, 0)
    _, exponent, _ = _element(key, after)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def _mask(seed, size):
    out = b""
    counter = 0
    while len(out) < size:
        out += hashlib.sha1(seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return out[:size]


def _xor(one, two):
    return bytes(a ^ b for a, b in zip(one, two))


def encrypt_oaep(pem, text):
    modulus, exponent = public_numbers(pem)
    size = (modulus.bit_length() + 7) // 8
    label = hashlib.sha1(b"").digest()
    data = label + bytes(size - len(text) - 2 * len(label) - 2) + b"\1" + text
    seed = os.urandom(len(label))
    masked = _xor(data, _mask(seed, len(data)))
    block = b"\0" + _xor(seed, _mask(masked, len(seed))) + masked
    return pow(int.from_bytes(block, "big"), exponent, modulus).to_bytes(size, "big")
