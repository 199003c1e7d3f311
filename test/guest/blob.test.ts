import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'
import { head } from './sandbox.ts'

describeGuests('Blob and File', ({ run }) => {
  it.each([
    [
      'parts of every kind, in their order',
      `await new Blob(['a', new Uint8Array([98, 99]), new Uint8Array([0, 100]).buffer, new Blob(['é'])]).text()`,
      'abc\0dé',
    ],
    ['no parts', `[new Blob().size, new Blob().type, new Blob([]).size]`, [0, '', 0]],
    [
      'a view covers its part of a buffer',
      `await new Blob([new Uint8Array([97, 98, 99, 100]).subarray(1, 3)]).text()`,
      'bc',
    ],
    ['a lone surrogate becomes U+FFFD', `await new Blob(['\\ud800']).text()`, '\ufffd'],
    ['anything else becomes a string', `await new Blob([1, null, {}]).text()`, '1null[object Object]'],
    [
      'the type in lower case',
      `[new Blob([], { type: 'Text/HTML' }).type, new Blob([], { type: 'a\\u00e9' }).type]`,
      ['text/html', ''],
    ],
    ['native line ends', `await new Blob(['a\\r\\nb\\rc\\nd'], { endings: 'native' }).text()`, 'a\nb\nc\nd'],
    ['any iterable', `await new Blob(new Set(['x', 'y'])).text()`, 'xy'],
    [
      'a slice, from the end and beyond it',
      `await Promise.all([[1, 3], [-2], [2, 99], [3, 1], [NaN, 2], [undefined, -1]].map((a) => new Blob(['abcd']).slice(...a).text()))`,
      ['bc', 'cd', 'cd', '', 'ab', 'abc'],
    ],
    [
      'a slice has the type it is given',
      `[new Blob(['a'], { type: 'x/y' }).slice().type, new Blob(['a']).slice(0, 1, 'X/Z').type]`,
      ['', 'x/z'],
    ],
    ['text drops a byte order mark', `await new Blob([new Uint8Array([239, 187, 191, 97])]).text()`, 'a'],
    [
      'arrayBuffer is a copy',
      `await (async () => { const b = new Blob(['ab']); new Uint8Array(await b.arrayBuffer())[0] = 0; return b.text() })()`,
      'ab',
    ],
    ['bytes is a Uint8Array', `(await new Blob(['ab']).bytes()) instanceof Uint8Array`, true],
    ['a stream of its bytes', `await new Response(new Blob(['abc']).stream()).text()`, 'abc'],
    ['a stream of nothing', `(await new Blob().stream().getReader().read()).done`, true],
    [
      'changing the source changes nothing',
      `await (async () => { const u = new Uint8Array([97]); const b = new Blob([u]); u[0] = 98; return b.text() })()`,
      'a',
    ],
    [
      'a file',
      `(({ name, lastModified, type, size }) => ({ name, lastModified, type, size }))(new File(['ab'], 'é.txt', { type: 'text/plain', lastModified: 5.9 }))`,
      { name: 'é.txt', lastModified: 5, type: 'text/plain', size: 2 },
    ],
    [
      'a file is a Blob, its slice no File',
      `[new File([], 'a') instanceof Blob, new File([], 'a').slice() instanceof File]`,
      [true, false],
    ],
    ['a file made now', `Math.abs(new File([], 'a').lastModified - Date.now()) < 10_000`, true],
    [
      'clones',
      `await (async () => { const f = structuredClone(new File(['ab'], 'n', { lastModified: 3 })); return [f instanceof File, f.name, f.lastModified, await f.text()] })()`,
      [true, 'n', 3, 'ab'],
    ],
    [
      'interfaces',
      `[String(new Blob()), String(new File([], '')), Blob.length, File.length]`,
      ['[object Blob]', '[object File]', 0, 2],
    ],
  ])('%s', (_, expression, value) => {
    expect(run(`return ${expression}`)).toEqual(value)
  })

  it.each([
    `new Blob('text')`,
    `new Blob(1)`,
    `new Blob(null)`,
    `new Blob({})`,
    `new Blob([], { endings: 'other' })`,
    `new Blob([], 1)`,
    `new File([])`,
    `new File(undefined, 'a')`,
    `Blob([])`,
    `Blob.prototype.slice.call({})`,
    `Reflect.get(Blob.prototype, 'size', {})`,
  ])('refuses %s', (expression) => {
    expect(run(`try { ${expression}; return 'taken' } catch (error) { return error.name }`)).toBe('TypeError')
  })
})

describeGuests('FormData', ({ run }) => {
  it.each([
    [
      'append, get, getAll, has, delete',
      `(() => { const f = new FormData(); f.append('a', 1); f.append('b', 'x'); f.append('a', '2'); const all = [f.get('a'), f.getAll('a'), f.has('b'), f.get('c')]; f.delete('a'); return [...all, f.has('a'), [...f.keys()]] })()`,
      ['1', ['1', '2'], true, null, false, ['b']],
    ],
    [
      'set replaces the first and drops the others',
      `(() => { const f = new FormData(); for (const [k, v] of [['a', 1], ['b', 2], ['a', 3]]) f.append(k, v); f.set('a', 9); f.set('c', 4); return [...f] })()`,
      [
        ['a', '9'],
        ['b', '2'],
        ['c', '4'],
      ],
    ],
    [
      'a Blob becomes a file',
      `(() => { const f = new FormData(); f.append('a', new Blob(['x'], { type: 't/u' })); f.append('b', new Blob(['x']), 'n'); f.append('c', new File(['x'], 'm')); return ['a', 'b', 'c'].map((k) => [f.get(k) instanceof File, f.get(k).name, f.get(k).type]) })()`,
      [
        [true, 'blob', 't/u'],
        [true, 'n', ''],
        [true, 'm', ''],
      ],
    ],
    [
      'a file keeps its identity without another name',
      `(() => { const f = new FormData(); const x = new File([], 'x'); f.append('a', x); f.append('b', x, 'y'); return [f.get('a') === x, f.get('b').name] })()`,
      [true, 'y'],
    ],
    [
      'forEach, values, entries',
      `(() => { const f = new FormData(); f.append('a', 'b'); const seen = []; f.forEach(function (v, k, o) { seen.push(v, k, o === f, this.t) }, { t: 1 }); return [seen, [...f.values()], [...f.entries()]] })()`,
      [['b', 'a', true, 1], ['b'], [['a', 'b']]],
    ],
    [
      'lone surrogates',
      `(() => { const f = new FormData(); f.append('\\ud800', '\\udc00'); return [...f] })()`,
      [['\ufffd', '\ufffd']],
    ],
  ])('%s', (_, expression, value) => {
    expect(run(`return ${expression}`)).toEqual(value)
  })

  it.each([
    `new FormData({})`,
    `new FormData().append('a')`,
    `new FormData().append('a', 'b', 'c')`,
    `new FormData().get()`,
    `new FormData().forEach(1)`,
  ])('refuses %s', (expression) => {
    expect(run(`try { ${expression}; return 'taken' } catch (error) { return error.name }`)).toBe('TypeError')
  })

  it('is sent as multipart/form-data (HTML, section 4.10.21.8)', () => {
    const [type, body] = run(`
      const f = new FormData()
      f.append('a"\\n', 'x\\ny')
      f.append('f', new File(['z'], 'n"\\r.txt', { type: 'text/plain' }))
      f.append('g', new Blob(['b']))
      const r = new Response(f)
      return [r.headers.get('content-type'), await r.text()]`) as [string, string]
    const boundary = /^multipart\/form-data; boundary=(----formdata-ringlet-\d{16})$/.exec(type)![1]!
    expect(body.split(boundary).join('B')).toBe(
      '--B\r\nContent-Disposition: form-data; name="a%22%0D%0A"\r\n\r\nx\r\ny\r\n' +
        '--B\r\nContent-Disposition: form-data; name="f"; filename="n%22%0D.txt"\r\nContent-Type: text/plain\r\n\r\nz\r\n' +
        '--B\r\nContent-Disposition: form-data; name="g"; filename="blob"\r\nContent-Type: application/octet-stream\r\n\r\nb\r\n' +
        '--B--\r\n',
    )
  })

  it('is read back as it was', () => {
    expect(
      run(`
      const f = new FormData()
      f.append('é', 'a\\r\\nb')
      f.append('f', new File([new Uint8Array([0, 255, 13, 10])], 'ü"x.bin', { type: 'a/b' }))
      f.append('empty', '')
      const back = await new Response(f).formData()
      const file = back.get('f')
      return [[...back.keys()], back.get('é'), file.name, file.type, [...(await file.bytes())], back.get('empty')]`),
    ).toEqual([['é', 'f', 'empty'], 'a\r\nb', 'ü"x.bin', 'a/b', [0, 255, 13, 10], ''])
  })
})

const MULTIPART = { 'content-type': 'Multipart/Form-Data; x=y; boundary="b b"' }
const read = `const f = await request.formData()
  return Promise.all([...f].map(async ([k, v]) => typeof v === 'string' ? [k, v] : [k, v.name, v.type, await v.text()]))`

describeGuests('formData of a request', ({ run }) => {
  it.each([
    [
      'text and a file',
      '--b b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b b\r\ncontent-type: T/u; v=w\r\nCONTENT-DISPOSITION: form-data; name=f; filename="g"\r\n\r\ny\r\nz\r\n--b b--\r\nepilogue',
      [
        ['a', 'x'],
        ['f', 'g', 't/u; v=w', 'y\r\nz'],
      ],
    ],
    [
      'a preamble, padding, no last line end',
      'preamble\r\n--b b \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--b b--',
      [['a', '']],
    ],
    ['no parts', '--b b--\r\n', []],
    [
      'a file without a type',
      '--b b\r\nContent-Disposition: form-data; name="f"; filename=""\r\n\r\n\r\n--b b--',
      [['f', '', 'text/plain', '']],
    ],
    [
      'text that is not UTF-8',
      Buffer.from('--b b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b b--', 'latin1'),
      [['a', '\ufffd']],
    ],
    [
      'a part with no body at all',
      '--b b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b b--',
      [['a', '']],
    ],
  ])('%s', (_, body, entries) => {
    expect(run(read, head('POST', '/', MULTIPART), Buffer.from(body as string))).toEqual(entries)
  })

  it.each([
    ['no delimiter', 'text'],
    ['no end', '--b b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'],
    ['no name', '--b b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b b--'],
    ['no disposition', '--b b\r\nX: y\r\n\r\nx\r\n--b b--'],
    ['a head without an end', '--b b\r\nContent-Disposition: form-data; name="a"\r\n--b b--'],
    ['a delimiter that goes on', '--b bx\r\n\r\n--b b--'],
    [
      'a head that is too long',
      `--b b\r\nX: ${'y'.repeat(17_000)}\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--b b--`,
    ],
    ['nothing', ''],
  ])('refuses %s', (_, body) => {
    const code = `try { await request.formData(); return 'taken' } catch (error) { return error.name }`
    expect(run(code, head('POST', '/', MULTIPART), Buffer.from(body))).toBe('TypeError')
  })

  it.each([
    [
      'application/x-www-form-urlencoded',
      'a=b+c&a=%C3%A9',
      [
        ['a', 'b c'],
        ['a', 'é'],
      ],
    ],
    ['application/x-www-form-urlencoded;charset=x', '', []],
  ])('%s', (type, body, entries) => {
    expect(run(read, head('POST', '/', { 'content-type': type }), Buffer.from(body))).toEqual(entries)
  })

  it.each(['text/plain', 'multipart/form-data', 'nonsense'])(
    'refuses the type %s, and takes the body all the same',
    (type) => {
      const code = `try { await request.formData(); return 'taken' } catch (error) { return [error.name, request.bodyUsed] }`
      expect(run(code, head('POST', '/', { 'content-type': type }), Buffer.from('a=b'))).toEqual([
        'TypeError',
        true,
      ])
    },
  )
})

describeGuests('blob of a body', ({ run }) => {
  it.each([
    ['Text/Plain ; Charset="a b" ;x=Y', 'text/plain;charset="a b";x=Y'],
    ['text/html, application/json', 'application/json'],
    ['nonsense', ''],
    ['text/plain;a=b;a=c;;=d', 'text/plain;a=b'],
  ])('has the type %j as %j (MIME Sniffing, section 4)', (type, serialized) => {
    const code = `const b = await request.blob(); return [b instanceof Blob, b.type, await b.text(), request.bodyUsed]`
    expect(run(code, head('POST', '/', { 'content-type': type }), Buffer.from('x'))).toEqual([
      true,
      serialized,
      'x',
      true,
    ])
  })

  it('is a body too, with its type', () => {
    expect(
      run(`const r = new Response(new Blob(['a'], { type: 'x/y' })); const q = new Request('http://a/', { method: 'POST', body: new Blob(['b']) })
        return [r.headers.get('content-type'), await r.text(), q.headers.get('content-type'), await q.text()]`),
    ).toEqual(['x/y', 'a', null, 'b'])
  })
})
