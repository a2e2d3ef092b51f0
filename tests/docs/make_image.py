# tests/docs/make_image.py: writes a small NIfTI-1 series of int16, 5 x 4 x 3 voxels and 6 volumes. Usage: make_image.py FILE
import struct
import sys

shape = (5, 4, 3, 6)
header = bytearray(352)
struct.pack_into("<i", header, 0, 348)
struct.pack_into("<8h", header, 40, 4, *shape, 1, 1, 1)
struct.pack_into("<hh", header, 70, 4, 16)
struct.pack_into("<8f", header, 76, 1, 2, 2, 2, 1.5, 1, 1, 1)
struct.pack_into("<fff", header, 108, 352, 1, 0)
header[344:348] = b"n+1\0"
count = shape[0] * shape[1] * shape[2] * shape[3]
voxels = [(k * 37) % 101 - 50 for k in range(count)]
with open(sys.argv[1], "wb") as file:
    file.write(header + struct.pack(f"<{count}h", *voxels))
