import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Response } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../support/server.ts'
import { Site } from './support/site.ts'
import { wave } from './support/wave.ts'

const CHROMIUM = '/usr/bin/chromium'
const hasChromium = existsSync(CHROMIUM)
/** None of what it does by itself is wanted here. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
const SECONDS = 120
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title>
<link rel="stylesheet" href="style.css"><link rel="icon" href="pixel.png">
<p id="text">text</p><img id="image" src="pixel.png" alt="">
<video id="media" src="sound.wav" preload="metadata" controls></video>
<script type="module" src="main.mjs"></script></html>`

describe.skipIf(!hasChromium)(`a browser${hasChromium ? '' : ` (not installed: ${CHROMIUM})`}`, () => {
  let site: Site
  let server: RunningServer
  let context: BrowserContext
  const profile = mkdtempSync(join(tmpdir(), 'ringlet-browser-'))
  beforeAll(async () => {
    site = new Site({
      'index.html': PAGE,
      'style.css': '#text { color: rgb(1, 2, 3) }',
      'main.mjs': "import { word } from './word.mjs'\ndocument.getElementById('text').textContent = word",
      'word.mjs': "export const word = 'module'",
      'pixel.png': PIXEL,
      'sound.wav': wave(SECONDS),
      'listed/b <i>.txt': 'b',
      'listed/a.txt': 'aaa',
      'listed/folder/c.txt': '',
    })
    await site.settle()
    server = await startServer({
      config: { static: [{ dir: site.root, listing: 'on' }], log: { access: 'on' } },
    })
    context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: ARGUMENTS })
  })
  afterAll(async () => {
    await context?.close()
    await server?.stop()
    site?.[Symbol.dispose]()
    rmSync(profile, { recursive: true, force: true })
  })

  test('loads a page with its style, module, image and medium, seeks by Range, and gets 304s on reload', async () => {
    const page = await context.newPage()
    const responses: Response[] = []
    page.on('response', (response) => responses.push(response))
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(server.url)
    await page.waitForFunction("document.getElementById('text').textContent === 'module'")
    expect(await page.evaluate("getComputedStyle(document.getElementById('text')).color")).toBe(
      'rgb(1, 2, 3)',
    )
    expect(await page.evaluate("document.getElementById('image').naturalWidth")).toBe(1)
    await page.waitForFunction("document.getElementById('media').readyState >= 1")
    expect(await page.evaluate("document.getElementById('media').duration")).toBeCloseTo(SECONDS, 0)
    await page.evaluate(
      `new Promise((done) => { const m = document.getElementById('media'); m.onseeked = done; m.currentTime = ${SECONDS - 10} })`,
    )
    expect(await page.evaluate("document.getElementById('media').currentTime")).toBeCloseTo(SECONDS - 10, 0)
    const parts = responses.filter((response) => response.url().endsWith('.wav'))
    expect(parts.every((response) => response.status() === 206)).toBe(true)
    const starts = parts.map((response) =>
      Number(/^bytes (\d+)-/.exec(response.headers()['content-range']!)![1]),
    )
    expect(Math.max(...starts)).toBeGreaterThan(0)

    await page.reload()
    await page.waitForFunction("document.getElementById('text').textContent === 'module'")
    // What the server says it sent: of the page itself the browser reports the 200 that it had.
    for (const path of ['/', '/style.css', '/main.mjs', '/word.mjs'])
      await server.waitForLog((line) => line['path'] === path && line['status'] === 304)
    expect(errors).toEqual([])
    await page.close()
  })

  test('lists a folder, sorts it, and follows its links', async () => {
    const page = await context.newPage()
    await page.goto(`${server.url}/listed`)
    const names = () => page.locator('tbody a').allTextContents()
    expect(await names()).toEqual(['..', 'folder/', 'a.txt', 'b <i>.txt'])
    await page.click('text=Size')
    expect(await names()).toEqual(['..', 'folder/', 'b <i>.txt', 'a.txt'])
    const picture = process.env['LISTING_PICTURE']
    if (picture !== undefined) await page.screenshot({ path: picture })
    await page.click('text=b <i>.txt')
    expect(await page.textContent('body')).toBe('b')
    await page.close()
  })
})
