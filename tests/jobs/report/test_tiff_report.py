from tinc_codec.jobs.report.tiff_report import TiffReport


def test_a_file_is_a_line_and_a_document():
    report = TiffReport("a.zarr", "b.tif", (40, 50), "uint16", "YX", 4_000, 1_000, 0.0)
    assert report.line.startswith("a.zarr -> b.tif: YX 40x50 uint16, 4 kB in 1 kB, decoded and written in 0.0 s (")
    assert report.as_json()["stored_bytes"] == 1_000
