// Opens the page at a URL in Chromium, moves the pointer and the sliders, and prints what is shown then as JSON.
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [url, screenshot] = process.argv.slice(2);
const executablePath = await chromium.executablePath();
const browser = await puppeteer.launch({args: ["--no-sandbox"], executablePath, headless: "shell"});
try {
  const page = await browser.newPage();
  const wrong = [];
  page.on("pageerror", error => wrong.push(error.message));
  page.on("console", message => { if (message.type() === "error") wrong.push(message.text()); });
  page.on("request", request => { if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(url)) wrong.push(request.url()); });
  page.on("response", response => { if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`); });
  await page.setViewport({width: 1280, height: 860});
  await page.goto(url);

  const drawn = text => page.waitForFunction(`document.body.dataset.drawn === ${JSON.stringify(text)}`);
  const rows = list => page.evaluate(list => [...document.querySelectorAll(`#${list} dt`)].map(dt => [dt.textContent, dt.nextSibling.textContent]), list);
  const slide = (name, value) => page.evaluate((name, value) => {
    const range = document.querySelector(`input[type=range][name=${name}]`);
    range.value = value;
    range.dispatchEvent(new Event("input"));
  }, name, value);
  const point = async (x, y, text) => {
    const box = await (await page.$("#frame")).boundingBox();
    await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
    await page.waitForFunction(`document.querySelector("#pointer").textContent.includes(${JSON.stringify(text)})`);
    return Object.fromEntries(await rows("pointer"));
  };
  const grey = () => page.evaluate(() => {
    const image = document.querySelector("#shown"), canvas = document.createElement("canvas");
    Object.assign(canvas, {width: image.naturalWidth, height: image.naturalHeight});
    canvas.getContext("2d").drawImage(image, 0, 0);
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return {width: canvas.width, height: canvas.height, sum: data.reduce((sum, x, i) => i % 4 ? sum : sum + x, 0)};
  });

  const shown = {};
  await drawn("image 0 10");
  shown.about = Object.fromEntries(await rows("about"));
  shown.first = await grey();
  shown.pointer = await point(0.99, 0.99, "chunk");
  await page.screenshot({path: screenshot});
  await slide("z", 3);
  await drawn("image 0 3");
  shown.slid = await grey();
  await slide("level", 1);
  await drawn("image 1 3");
  shown.coarser = await grey();
  shown.places = await page.evaluate(() => [...document.querySelectorAll("#places code")].map(code => code.textContent));
  await page.select("#image", "1");
  await drawn("labels 0 ");
  shown.other = await grey();
  console.log(JSON.stringify({...shown, wrong}));
} finally {
  await browser.close();
}
