"""One image file of any format: its pixels upright, its ground white, its gray levels and colors right."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from common.readers.image_files import is_image, read_picture, scale_values

GENERATOR = np.random.default_rng(0)
COLOR = GENERATOR.integers(0, 256, (4, 6, 3)).astype(np.uint8)
GRAY = COLOR[..., 0]
DEEP = GENERATOR.integers(0, 65_536, (4, 6, 3)).astype(np.uint16)
WHITE = np.float32(255 / 256)
LOSSLESS = ["png", "bmp", "gif", "webp", "tif", "ppm", "tga", "pcx", "sgi", "dib", "jp2", "qoi", "dds"]


def load(path, white=None):
    """Return the values of an image file from 0 to 1."""
    return scale_values(read_picture(path).values, white)


def save_deep_png(path, values, color_type, *chunks):
    """Write a PNG of 16 bits a value, which Pillow cannot write in color: 0 gray, 2 color, 4 gray with opacity."""

    def pack(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(pack(*part) for part in parts))


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_every_format_is_read(tmp_path, suffix):
    path = tmp_path / f"1.{suffix}"
    image = Image.fromarray(COLOR)
    image.save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert is_image(path) and load(path).dtype == np.float32
    assert np.array_equal(load(path) * 256, COLOR)
    if suffix != "tga":  # which cannot be told by its content
        other = path.rename(tmp_path / "1.jpg")
        assert np.array_equal(load(other) * 256, COLOR)
        assert is_image(other.rename(tmp_path / "without"))


@pytest.mark.parametrize("suffix", ["jfif", "avif", "jpe"])
def test_formats_with_losses_are_read(tmp_path, suffix):
    path = tmp_path / f"1.{suffix}"
    Image.new("RGB", (6, 4), (0, 128, 255)).save(path, quality=95)
    assert np.abs(load(path) * 256 - [0, 128, 255]).max() < 4


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("array.npy", b"\x93NUMPY"),
        ("table", b"P,x,y\n"),
        ("volume.h5", b"\x89HDF\r\n\x1a\n"),
        ("page.pdf", b"%PDF-1.7"),
        ("figure.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        ("film.mpg", b"\0\0\1\xb3"),
        ("targa.bin", b"\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\x18\0"),
    ],
)
def test_other_files_are_no_images(tmp_path, name, start):
    (tmp_path / name).write_bytes(start + bytes(1000))
    assert not is_image(tmp_path / name)


def test_damaged_file_with_the_name_of_an_image_is_one(tmp_path):
    (tmp_path / "1.JPEG").touch()
    assert is_image(tmp_path / "1.JPEG") and not is_image(tmp_path / "nowhere")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_upright(tmp_path, suffix, orientation):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = 255  # white in the upper left, red in the upper right
    upright[:8, 16:] = 255, 0, 0
    back = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
    back |= {7: "TRANSVERSE", 8: "ROTATE_270"}
    image = Image.fromarray(upright)
    if orientation in back:
        image = image.transpose(Image.Transpose[back[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / f"1.{suffix}", exif=exif)
    values = load(tmp_path / f"1.{suffix}")
    assert values.shape == (16, 32, 3)
    for row, column in ((2, 2), (2, 29), (13, 2), (13, 29)):
        assert np.abs(values[row, column] * 256 - upright[row, column]).max() < 10


def test_deep_tiff_is_turned_upright(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", np.rot90(DEEP), photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    assert np.array_equal(read_picture(tmp_path / "1.tif").values, DEEP)


def test_damaged_exif_data_do_not_damage_the_image(tmp_path):
    Image.fromarray(COLOR).save(tmp_path / "1.png", exif=b"Exif\0\0no TIFF at all")
    assert np.array_equal(load(tmp_path / "1.png") * 256, COLOR)


def save_transparent(folder, way):
    """Write a red image whose right half is transparent, and return its path."""
    path = folder / "1.png"
    rgba = np.zeros((4, 6, 4), np.uint8)
    rgba[:, :3] = 200, 0, 0, 255
    if way == "RGBA":
        Image.fromarray(rgba).save(path)
    elif way == "premultiplied":
        path = folder / "1.tif"
        tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["assocalpha"])
    elif way == "RGB and a color":
        Image.fromarray(rgba[:, :, :3]).save(path, transparency=(0, 0, 0))
    elif way == "GIF":
        Image.fromarray(rgba).save(folder / "1.gif")
        path = folder / "1.gif"
    elif way == "deep":
        save_deep_png(path, rgba[:, :, :3] * np.uint16(257), 2, (b"tRNS", bytes(6)))
    else:
        palette = Image.fromarray((rgba[:, :, 3] > 0).astype(np.uint8), "P")
        palette.putpalette([0, 0, 0, 200, 0, 0])
        palette.save(path, transparency={"palette and a color": 0, "palette with opacities": b"\x00\xff"}[way])
    return path


WAYS = ["RGBA", "premultiplied", "RGB and a color", "GIF", "deep", "palette and a color", "palette with opacities"]


@pytest.mark.parametrize("way", WAYS)
def test_transparent_color_is_white(tmp_path, way):
    values = load(save_transparent(tmp_path, way))
    assert values.shape == (4, 6, 3) and np.allclose(values[:, 3:], WHITE)
    assert np.allclose(values[:, :3] * 256, [200, 0, 0], atol=1)


@pytest.mark.parametrize("way", ["LA", "gray and a level", "16 bits and a level", "16 bits with opacity", "bits"])
def test_transparent_gray_is_white(tmp_path, way):
    path = tmp_path / "1.png"
    gray = np.zeros((4, 6), np.uint8)
    gray[:, :3] = 100
    if way == "LA":
        Image.fromarray(np.stack([gray, (gray > 0) * np.uint8(255)], axis=2)).save(path)
    elif way == "gray and a level":
        Image.fromarray(gray).save(path, transparency=0)
    elif way == "16 bits and a level":
        save_deep_png(path, gray * np.uint16(256), 0, (b"tRNS", bytes(2)))
    elif way == "16 bits with opacity":
        tifffile.imwrite(
            path.with_suffix(".tif"),
            np.stack([gray * np.uint16(256), (gray > 0) * np.uint16(65_535)], axis=2),
            photometric="minisblack",
            extrasamples=["unassalpha"],
        )
        path = path.with_suffix(".tif")
    else:
        Image.fromarray(gray > 0).save(path, transparency=0)
    values = load(path)
    level = 1 if way == "bits" else 100 / 256
    assert values.shape == (4, 6, 1) and np.allclose(values[:, 3:], WHITE, atol=1e-4)
    assert np.allclose(values[:, :3], level, atol=0.005)


def test_half_opaque_color_is_mixed_with_white(tmp_path):
    Image.new("RGBA", (6, 4), (200, 0, 0, 51)).save(tmp_path / "1.png")
    assert np.allclose(load(tmp_path / "1.png")[0, 0] * 256, [0.2 * 200 + 0.8 * 255, 0.8 * 255, 0.8 * 255], atol=0.01)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_color(tmp_path, suffix):
    Image.new("RGB", (16, 16), (250, 20, 10)).convert("CMYK").save(tmp_path / f"1.{suffix}")
    assert np.abs(load(tmp_path / f"1.{suffix}") * 256 - [250, 20, 10]).max() < 8


def test_bits_are_black_and_white(tmp_path):
    bits = GRAY > 99
    Image.fromarray(bits).save(tmp_path / "1.png")
    Image.fromarray(bits).save(tmp_path / "2.tif")
    for name in ("1.png", "2.tif"):
        for white in (None, 1, 4095):
            assert np.array_equal(load(tmp_path / name, white)[..., 0], bits)


def write_deep(folder, way):
    """Write the gray levels of DEEP[..., 0], or its colors, and return the path and the expected values."""
    gray, path = DEEP[..., 0], folder / "1.tif"
    if way == "png":
        Image.fromarray(gray).save(folder / "1.png")
        return folder / "1.png", gray
    if way == "pgm":
        (folder / "1.pgm").write_bytes(b"P5 6 4 65535\n" + gray.astype(">u2").tobytes())
        return folder / "1.pgm", gray
    if way == "lzw":
        Image.fromarray(gray).save(path, compression="tiff_lzw")
        return path, gray
    options = {
        "big-endian": (gray, {"byteorder": ">"}),
        "bigtiff": (gray, {"bigtiff": True}),
        "deflate": (gray, {"compression": "zlib", "predictor": True}),
        "tiles": (np.tile(gray, (8, 8)), {"tile": (16, 16)}),
        "white is 0": (65_535 - gray, {"photometric": "miniswhite"}),
        "color": (DEEP, {"photometric": "rgb"}),
        "color by planes": (np.moveaxis(DEEP, 2, 0), {"photometric": "rgb", "planarconfig": "separate"}),
        "32 bits": (gray * np.uint32(65_537), {}),
        "signed": ((gray // 2).astype(np.int16), {}),
    }
    array, keywords = options[way]
    tifffile.imwrite(path, array, **({"photometric": "minisblack"} | keywords))
    expected = {"tiles": array, "32 bits": array, "signed": array, "color": DEEP, "color by planes": DEEP}
    return path, expected.get(way, gray)


@pytest.mark.parametrize(
    "way",
    [
        *("png", "pgm", "lzw", "big-endian", "bigtiff", "deflate", "tiles"),
        *("white is 0", "color", "color by planes", "32 bits", "signed"),
    ],
)
def test_all_levels_of_deep_images_are_kept(tmp_path, way):
    path, expected = write_deep(tmp_path, way)
    values = read_picture(path).values
    assert np.array_equal(np.squeeze(values), expected) and values.dtype == expected.dtype
    levels = 2.0 ** {"32 bits": 32, "signed": 15}.get(way, 16)
    assert np.allclose(np.squeeze(scale_values(values, None)), expected / levels, atol=1e-7)


def test_white_is_the_value_that_becomes_1(tmp_path):
    values = np.array([[[0], [1000], [4095], [5000]]], np.uint16)
    assert np.allclose(scale_values(values, 4095)[0, :, 0], [0, 1000 / 4095, 1, 1])
    assert np.allclose(scale_values(values, None)[0, :, 0] * 65_536, [0, 1000, 4095, 5000])
    small = np.array([[[0], [10], [15], [255]]], np.uint8)
    assert np.allclose(scale_values(small, 15)[0, :, 0], [0, 10 / 15, 1, 1])
    assert np.allclose(scale_values(small, 4095)[0, :, 0] * 256, small[0, :, 0]), "a byte cannot hold this white"
    assert np.allclose(scale_values(np.float32([[[0.5], [2]]]), 2)[0, :, 0], [0.25, 1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fractions_of_a_tiff_are_unchanged(tmp_path, dtype):
    fractions = (GRAY / 256).astype(dtype)
    tifffile.imwrite(tmp_path / "1.tif", fractions)
    assert np.array_equal(load(tmp_path / "1.tif")[..., 0], fractions.astype(np.float32))


def test_deep_png_of_colors_keeps_its_range(tmp_path):
    save_deep_png(tmp_path / "1.png", DEEP // 16, 2)
    picture = read_picture(tmp_path / "1.png")
    assert picture.is_reduced and picture.values.dtype == np.uint16
    assert np.abs(picture.values.astype(int) - DEEP // 16).max() < 257


@pytest.mark.parametrize("way", ["gif", "png", "webp", "tif", "stack.tif"])
def test_of_several_frames_the_first_is_read(tmp_path, way):
    path = tmp_path / f"1.{way}"
    if way == "stack.tif":
        tifffile.imwrite(path, np.moveaxis(DEEP, 2, 0), photometric="minisblack")
    else:
        frames = [Image.new("RGB", (6, 4), color) for color in ("red", "blue", "lime")]
        frames[0].save(path, save_all=True, append_images=frames[1:], **({"lossless": True} if way == "webp" else {}))
    values, has_more, _ = read_picture(path)
    assert has_more
    if way == "stack.tif":
        assert np.array_equal(values[..., 0], DEEP[..., 0])
    else:
        assert values.shape == (4, 6, 3) and (values == [255, 0, 0]).all()


def test_deep_colors_in_a_compression_that_is_not_read_are_named(tmp_path):
    path = tmp_path / "1.tif"
    tifffile.imwrite(path, DEEP, photometric="rgb")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["Compression"].overwrite(int(tifffile.COMPRESSION.LZW))
    with pytest.raises(ValueError, match="the compression LZW is read for gray images and bytes only; save it without"):
        read_picture(path)


@pytest.mark.parametrize(
    ("array", "keywords", "reason"),
    [
        (np.zeros((4, 6, 5), np.uint16), {"planarconfig": "contig"}, "its first page has the axes YXS and 5 values a"),
        (np.zeros((2, 4, 6), np.uint16), {"planarconfig": "separate"}, "its first page has 2 values a pixel, of which"),
        (np.zeros((3, 4, 6), np.uint16), {"volumetric": True, "tile": (1, 16, 16)}, "its first page has the axes ZYX"),
        (DEEP[..., 0], {"subfiletype": 1}, "its first page is a preview, as in the raw files of cameras"),
    ],
)
def test_tiff_that_is_no_image_says_what_it_is(tmp_path, array, keywords, reason):
    tifffile.imwrite(tmp_path / "1.tif", array, **({"photometric": "minisblack"} | keywords))
    with pytest.raises(ValueError, match=reason):
        read_picture(tmp_path / "1.tif")
