#!/usr/bin/env python3
"""Pack the files of a locale directory into C: c-utf8.py DIRECTORY >HEADER

A packed file is a sequence of (length, literal bytes, length, distance): copy the literals, then length bytes from
distance bytes back. Numbers are little-endian in groups of seven bits, the last one below 128.
"""
import pathlib
import sys

SHORTEST = 6
CANDIDATES = 64


def number(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return out


def pack(data):
    out, places, literal, at = bytearray(), {}, 0, 0
    while at < len(data):
        length = distance = 0
        for place in reversed(places.get(data[at:at + SHORTEST], [])[-CANDIDATES:]):
            n = SHORTEST
            while at + n < len(data) and data[place + n] == data[at + n]:
                n += 1
            if n > length:
                length, distance = n, at - place
        step = length or 1
        if length:
            out += number(at - literal) + data[literal:at] + number(length) + number(distance)
            literal = at + length
        for i in range(at, min(at + step, len(data) - SHORTEST + 1)):
            places.setdefault(data[i:i + SHORTEST], []).append(i)
        at += step
    return out + number(at - literal) + data[literal:] + number(0) + number(0)


for file in sorted(pathlib.Path(sys.argv[1]).rglob("*LC_*")):
    if file.is_file():
        data = file.read_bytes()
        text = ",".join(map(str, pack(data)))
        print(f"LOCALE_FILE ({file.name.removeprefix('SYS_')}, {len(data)}, {text})")
