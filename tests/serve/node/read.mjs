// What zarrita reads at each URL that is given, one JSON object a line: shape, dtype, chunk shape, samples in base64.
import * as zarr from "zarrita";

for (const url of process.argv.slice(2)) {
  const array = await zarr.open(new zarr.FetchStore(url), {kind: "array"});
  const {data, shape, stride} = await zarr.get(array);
  const samples = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
  console.log(JSON.stringify({url, shape, stride, dtype: array.dtype, chunks: array.chunks, samples}));
}
