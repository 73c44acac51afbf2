// Builds neuroglancer from its package, opens sources in it, and prints for each what was asked for, as JSON; each
// state is a JSON object of neuroglancer's, each screenshot the name of a file.
import {readFile} from "node:fs/promises";
import {createServer} from "node:http";
import chromium from "@sparticuz/chromium";
import {build} from "esbuild";
import puppeteer from "puppeteer-core";

const lib = new URL("node_modules/neuroglancer/lib/", import.meta.url).pathname;
const PAGE = `<!doctype html><link rel="stylesheet" href="main.css">
  <div id="neuroglancer-container" style="position:fixed;inset:0"></div><script type="module" src="main.js"></script>`;

const text = {
  name: "text",
  setup(builder) {
    builder.onResolve({filter: /\.svg\?raw$/}, async ({path, resolveDir, kind}) => {
      if (path.startsWith("ikonate/")) return {path, namespace: "icon"};
      const found = await builder.resolve(path.replace("?raw", ""), {resolveDir, kind});
      return {path: found.path, namespace: "text"};
    });
    builder.onLoad({filter: /./, namespace: "icon"}, () => ({contents: "<svg/>", loader: "text"}));
    builder.onLoad({filter: /./, namespace: "text"}, async ({path}) => ({contents: await readFile(path), loader: "text"}));
  },
};
const built = await build({
  entryPoints: {
    "viewer/main": `${lib}main.bundle.js`,
    "viewer/chunk_worker.bundle": `${lib}chunk_worker.bundle.js`,
    "async_computation.bundle": `${lib}async_computation.bundle.js`, // where the workers look for it
  },
  bundle: true, format: "esm", minify: true, write: false, outdir: "/", plugins: [text], logLevel: "error",
});
const files = new Map(built.outputFiles.map(file => [file.path, file.contents]));
files.set("/viewer/", PAGE);
const server = createServer(({url}, response) => {
  const type = {js: "text/javascript", css: "text/css"}[url.split(".").pop()] ?? "text/html";
  response.writeHead(files.has(url) ? 200 : 404, {"content-type": type}).end(files.get(url));
});
await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
const viewer = `http://127.0.0.1:${server.address().port}/viewer/`;

const args = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];
const browser = await puppeteer.launch({args, executablePath: await chromium.executablePath(), headless: "shell"});
try {
  for (const [state, screenshot] of JSON.parse(process.argv[2])) {
    const page = await browser.newPage(), asked = [], wrong = [];
    page.on("pageerror", error => wrong.push(error.message));
    page.on("requestfailed", request => wrong.push(request.url()));
    page.on("response", response => { if (!response.url().startsWith(new URL(viewer).origin)) asked.push([response.status(), response.url()]); });
    await page.setViewport({width: 640, height: 480});
    await page.goto(`${viewer}#!${encodeURIComponent(JSON.stringify(state))}`);
    await page.waitForFunction("window.viewer?.isReady()", {polling: 100, timeout: 120000});
    await page.screenshot({path: screenshot});
    await page.close();
    console.log(JSON.stringify({asked, wrong}));
  }
} finally {
  await browser.close();
  server.close();
}
