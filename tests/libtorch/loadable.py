"""Makes a folder with a libtorch that can be loaded here: links to its files, and TorchSharp's library.

TorchSharp's library asks for one function of GCC 13's C++ runtime, ios_base_library_init, which initialises the standard streams.
Systems with an older runtime have them initialised by whoever includes <iostream>, as libtorch itself does. There the copy asks for
a harmless function of the C library instead. This is for tests on such a system: the product says what it needs.

usage: loadable.py LIBTORCH_FOLDER LIBTORCHSHARP_FILE TARGET_FOLDER
"""

import ctypes
import os
import shutil
import struct
import sys

SYMBOL = b"_ZSt21ios_base_library_initv"
HARMLESS = b"getpid"
VERSION = b"GLIBCXX_3.4.32"


def sections(elf):
    offset, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, offset + i * size) for i in range(count)]
    base = headers[names][4]
    return {elf[base + h[0]:elf.index(b"\0", base + h[0])].decode(): h for h in headers}


def without_newest_runtime(elf):
    found = sections(elf)
    strings, symbols, versions, needs = (found[name][4] for name in (".dynstr", ".dynsym", ".gnu.version", ".gnu.version_r"))
    for i in range(found[".dynsym"][5] // 24):
        name, = struct.unpack_from("<I", elf, symbols + 24 * i)
        start = strings + name
        if elf[start:start + len(SYMBOL) + 1] == SYMBOL + b"\0":
            elf[start:start + len(HARMLESS) + 1] = HARMLESS + b"\0"
            struct.pack_into("<H", elf, versions + 2 * i, 1)
            break
    else:
        raise SystemExit(f"{SYMBOL.decode()} is not among the symbols: this library is of another version")

    entry = needs
    while True:
        _, count, _, first, following = struct.unpack_from("<HHIII", elf, entry)
        aux = entry + first
        for _ in range(count):
            _, flags, _, name, after = struct.unpack_from("<IHHII", elf, aux)
            if elf[strings + name:strings + name + len(VERSION) + 1] == VERSION + b"\0":
                struct.pack_into("<H", elf, aux + 4, flags | 2)
            aux += after
        if following == 0:
            return elf
        entry += following


def main(libtorch, binding, target):
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(libtorch):
        if ".so" in name:
            link = os.path.join(target, name)
            if os.path.lexists(link):
                os.remove(link)
            os.symlink(os.path.abspath(os.path.join(libtorch, name)), link)
    copy = os.path.join(target, os.path.basename(binding))
    if hasattr(ctypes.CDLL("libstdc++.so.6"), SYMBOL.decode()):
        shutil.copyfile(binding, copy)
    else:
        with open(binding, "rb") as original, open(copy + ".new", "wb") as patched:
            patched.write(without_newest_runtime(bytearray(original.read())))
        os.replace(copy + ".new", copy)
    print(target)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
