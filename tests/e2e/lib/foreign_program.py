"""A program of another word size, for machines that have no compiler for one."""

import struct


def program_of_32_bits(loader):
    """The bytes of an ELF file for i386 that asks for a loader, needs no library, and exits."""
    base, headers = 0x08048000, 3
    parts, offset = [], 52 + 32 * headers

    def place(data):
        nonlocal offset
        offset = (offset + 3) & ~3
        parts.append((offset, data))
        offset += len(data)
        return parts[-1][0]

    interpreter = place(loader.encode() + b"\0")
    strings, symbols = place(b"\0"), place(bytes(16))
    table = place(struct.pack("<4I", 1, 1, 0, 0))
    dynamic = place(struct.pack("<12I", 4, base + table, 5, base + strings, 6, base + symbols,
                                10, 1, 11, 16, 0, 0))
    code = place(b"\xb8\x01\0\0\0\x31\xdb\xcd\x80")  # exit(0)

    def header(kind, at, size, flags, align):
        return struct.pack("<8I", kind, at, base + at, base + at, size, size, flags, align)

    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 3, 1, base + code, 52, 0, 0, 52,
                       32, headers, 0, 0, 0)
    head += header(3, interpreter, len(loader) + 1, 4, 1)
    head += header(1, 0, offset, 7, 4096) + header(2, dynamic, 48, 6, 4)
    image = bytearray(offset)
    for at, data in [(0, head)] + parts:
        image[at:at + len(data)] = data
    return bytes(image)
