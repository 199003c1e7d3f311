import { describe, expect, it } from 'vitest'
import { FLAG, STATE } from '../../src/guest/ops.ts'
import { describeGuests } from './guests.ts'
import { head } from './sandbox.ts'

describeGuests('Request', ({ open, run }) => {
  describe('with a body that is still arriving', () => {
    const respond = (code: string) => {
      const sandbox = open()
      sandbox.load(`exports.default = async (request) => { ${code} }`)
      return sandbox
    }

    it.each([
      ['text', 'return Response.text(await request.text())'],
      ['json', 'return Response.text((await request.json())[0])'],
      ['arrayBuffer', 'return Response.text(new TextDecoder().decode(await request.arrayBuffer()))'],
      ['bytes', 'return Response.text(new TextDecoder().decode(await request.bytes()))'],
      [
        'a clone',
        'const copy = request.clone(); const [a, b] = await Promise.all([copy.text(), request.text()]); return Response.text(a === b ? a : "differ")',
      ],
      ['a new request', 'return Response.text(await new Request(request).text())'],
    ])('gives it whole by %s, and asks for each piece', (what, code) => {
      const sandbox = respond(code)
      const [first, second, third] =
        what === 'json' ? ['["a\u00e9', 'b\u20ac', 'c"]'] : ['a\u00e9', 'b\u20ac', 'c']
      expect(sandbox.invoke(head('POST'), Buffer.from(first!), FLAG.STREAM).state).toBe(STATE.PENDING)
      expect(sandbox.pulls).toBe(1)
      // Cut inside of a character.
      const bytes = Buffer.from(second!)
      expect(sandbox.push(bytes.subarray(0, 2), false).state).toBe(STATE.PENDING)
      expect(sandbox.push(bytes.subarray(2), false).state).toBe(STATE.PENDING)
      expect(sandbox.pulls).toBe(3)
      expect(sandbox.push(third!, true)).toMatchObject({ state: STATE.TEXT, body: 'a\u00e9b\u20acc' })
      expect(sandbox.pulls).toBe(3)
    })

    it('asks for nothing when nobody reads it, and may begin without a piece', () => {
      const sandbox = respond('return Response.text(String(request.bodyUsed))')
      expect(sandbox.invoke(head('POST'), undefined, FLAG.STREAM)).toMatchObject({ body: 'false' })
      expect(sandbox.pulls).toBe(0)
    })

    it('does not mix with the next request, whatever the handler left', () => {
      const sandbox = respond(
        'if (request.url.endsWith("/left")) { request.text().then((t) => console.log(t)); return Response.text("early") } return Response.text(await request.text())',
      )
      expect(sandbox.invoke(head('POST', '/left'), Buffer.from('old'), FLAG.STREAM)).toMatchObject({
        body: 'early',
      })
      sandbox.invoke(head('POST', '/next'), Buffer.from('new'), FLAG.STREAM)
      expect(sandbox.push('er', true)).toMatchObject({ body: 'newer' })
      expect(sandbox.logs).toEqual([])
    })

    it('counts as used as soon as it is read', () => {
      const sandbox = respond(
        'const text = request.text(); const used = request.bodyUsed; const again = await request.text().catch((e) => e.name); return Response.text([await text, used, again].join())',
      )
      sandbox.invoke(head('POST'), undefined, FLAG.STREAM)
      expect(sandbox.push('x', true)).toMatchObject({ body: 'x,true,TypeError' })
    })

    it('keeps its own ways when user code breaks the realm', () => {
      const sandbox = respond(
        'globalThis.Promise = function () { throw new Error("no") }; Uint8Array.prototype.set = () => {}; Array.prototype.push = () => {}; return Response.text(await request.text())',
      )
      sandbox.invoke(head('POST'), Buffer.from('a'), FLAG.STREAM)
      expect(sandbox.push('b', true)).toMatchObject({ body: 'ab' })
    })
  })

  it.each([
    ['/', 'http://example.test/'],
    ['/a/b?c=d&e=%20f', 'http://example.test/a/b?c=d&e=%20f'],
    ['//double//slash', 'http://example.test//double//slash'],
    ['/a/../b/./c', 'http://example.test/b/c'],
    ['/a/%2e%2E/b', 'http://example.test/b'],
    ['/a/%2fb', 'http://example.test/a/%2fb'],
    ['/a.b/c.', 'http://example.test/a.b/c.'],
    ['/q?a=../..', 'http://example.test/q?a=../..'],
    ["/it's?it's", "http://example.test/it's?it%27s"],
    // Later versions of Node.js encode `^` in a path, as the standard does by now: a function sees what Node.js makes of it.
    ['/a|b^c{d}`?e|f', `http://example.test/a|b${new URL('http://a/^').pathname.slice(1)}c%7Bd%7D%60?e|f`],
    ['/\xc3\xa4?\xc3\xa4', 'http://example.test/%C3%A4?%C3%A4'],
    ['/a\\b', 'http://example.test/a/b'],
    ['*', 'http://example.test/'],
    ['http://other.test:80/x', 'http://other.test/x'],
  ])('has the URL of the target %s', (target, url) => {
    expect(run('return request.url', head('GET', target))).toBe(url)
    // The expectation is what a URL parser makes of it, where the target is a path in ASCII.
    if (/^\/[\0-\x7f]*$/.test(target)) expect(new URL(`http://example.test${target}`).href).toBe(url)
  })

  it.each([
    ['Host: Example.TEST:80', 'http://example.test/'],
    ['hOST:\texample.test:8080', 'http://example.test:8080/'],
    ['Host: [::1]:3', 'http://[::1]:3/'],
    ['X-A: b', 'http://localhost/'],
    ['X-Host: wrong\r\nHost: right', 'http://right/'],
  ])('takes its host from %s', (line, url) => {
    expect(run('return request.url', `GET / HTTP/1.1\r\n${line}\r\n\r\n`)).toBe(url)
  })

  it('keeps apart the hosts of successive requests, plain or not', () => {
    const sandbox = open()
    sandbox.load(`
      const old = []
      exports.default = (request) => {
        old.push(request)
        return Response.json(old.map(({ url }) => url))
      }`)
    const at = (host: string, flags = 0) =>
      JSON.parse(sandbox.invoke(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, undefined, flags).body)
    for (const host of ['A', 'B:80']) at(host)
    for (const host of ['c', 'd:81']) at(host, FLAG.PLAIN_URL)
    expect(at('E')).toEqual(['http://a/', 'http://b/', 'http://c/', 'http://d:81/', 'http://e/'])
  })

  it('has a URL made of slices of its head where the host says so', () => {
    const sandbox = open()
    sandbox.load('exports.default = (request) => Response.text(request.url)')
    // What a URL parser would change shows that none has been asked.
    const head = 'POST /a/../b?c=%20d HTTP/1.1\r\nhOST: Example.test:80\r\nX: y\r\n\r\n'
    expect(sandbox.invoke(head, undefined, FLAG.PLAIN_URL).body).toBe('http://Example.test:80/a/../b?c=%20d')
    expect(sandbox.invoke(head.replace('X: y', 'X: z')).body).toBe('http://example.test/b?c=%20d')
  })

  it('has its method, also one of its own making', () => {
    expect(run('return request.method', head('PATCH'))).toBe('PATCH')
    expect(run('return request.method', head('brew'))).toBe('brew')
  })

  it.each([
    ['text', '"é😀"'],
    ['json', '{"é":[1,"x"]}'],
    ['bytes', 'éa'],
  ])('reads its body by %s, given as text or as bytes', (method, body) => {
    const expected = method === 'json' ? JSON.parse(body) : method === 'bytes' ? [...Buffer.from(body)] : body
    const code = `const value = await request.${method}(); return ArrayBuffer.isView(value) ? [...value] : value`
    expect(run(code, head('POST'), body)).toEqual(expected)
    expect(run(code, head('POST'), Buffer.from(body))).toEqual(expected)
  })

  it('reads bytes that no text could carry', () => {
    const bytes = Uint8Array.of(0, 255, 0xef, 0xbb, 0xbf, 10)
    expect(run('return [...new Uint8Array(await request.arrayBuffer())]', head('POST'), bytes)).toEqual([
      ...bytes,
    ])
    expect(run('return await request.text()', head('POST'), Buffer.from('\ufeffa\0b\xff', 'utf8'))).toBe(
      'a\0b\xff',
    )
    expect(run('return await request.text()', head('POST'), Uint8Array.of(0x61, 0xff))).toBe('a\ufffd')
  })

  it('reads its body once', () => {
    expect(
      run(
        `const before = request.bodyUsed; await request.text(); const after = request.bodyUsed
        const errors = []
        for (const m of ['text', 'json', 'bytes', 'arrayBuffer']) await request[m]().catch((e) => errors.push(e.name))
        try { request.clone() } catch (e) { errors.push(e.name) }
        return [before, after, errors]`,
        head('POST'),
        'x',
      ),
    ).toEqual([false, true, Array.from({ length: 5 }, () => 'TypeError')])
  })

  it('has an empty body any number of times if there is none', () => {
    expect(
      run(
        `await request.text(); return [await request.text(), request.bodyUsed, (await request.bytes()).length]`,
      ),
    ).toEqual(['', false, 0])
  })

  it('rejects a body that is no JSON', () => {
    expect(run(`return request.json().catch((e) => e.name)`, head('POST'), '{')).toBe('SyntaxError')
    expect(run(`return request.json().catch((e) => e.name)`)).toBe('SyntaxError')
  })

  it('is cloned with its body, before and after it was looked at', () => {
    expect(
      run(
        `const a = request.clone(); const text = await a.text(); request.url; const b = request.clone()
        return [text, await request.text(), await b.text(), b.method, b.url, b.headers.get('x'), b.headers !== request.headers || true]`,
        head('PUT', '/p', { X: 'y' }),
        'body',
      ),
    ).toEqual(['body', 'body', 'body', 'PUT', 'http://example.test/p', 'y', true])
  })

  describe('made by the function', () => {
    it('has what it is given', () => {
      expect(
        run(`const r = new Request('http://A.test/../b', { method: 'post', headers: { X: '1' }, body: new URLSearchParams({ a: 'b c' }) })
          return [r.method, r.url, [...r.headers], await r.text(), String(r)]`),
      ).toEqual([
        'POST',
        'http://a.test/b',
        [
          ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'],
          ['x', '1'],
        ],
        'a=b+c',
        '[object Request]',
      ])
    })

    it('takes over another, and its body', () => {
      expect(
        run(
          `const r = new Request(request, { headers: { a: 'b' } })
          return [r.method, r.url, [...r.headers], request.bodyUsed, await r.text(), new Request(new URL('http://x/y')).url]`,
          head('POST', '/z', { X: 'y' }),
          'body',
        ),
      ).toEqual(['POST', 'http://example.test/z', [['a', 'b']], true, 'body', 'http://x/y'])
    })

    it('has headers that a clone does not share', () => {
      expect(
        run(`const r = new Request('http://x/', { headers: { a: '1' } }); const c = r.clone(); c.headers.set('a', '2')
          return [r.headers.get('a'), c.headers.get('a')]`),
      ).toEqual(['1', '2'])
    })

    it.each([
      ['a relative URL', `new Request('/a')`],
      ['credentials', `new Request('http://u:p@h/')`],
      ['a forbidden method', `new Request('http://h/', { method: 'trace' })`],
      ['a method that is no token', `new Request('http://h/', { method: 'a b' })`],
      ['a body with GET', `new Request('http://h/', { body: 'x' })`],
      ['an init that is no object', `new Request('http://h/', 7)`],
      ['a used body', `await request.text(); new Request(request)`],
    ])('refuses %s', (_, code) => {
      expect(run(`try { ${code}; return 'accepted' } catch (e) { return e.name }`, head('POST'), 'x')).toBe(
        'TypeError',
      )
    })
  })
})

describeGuests('Response', ({ open, run, value }) => {
  it('has the defaults', () => {
    expect(
      value(`(({ status, statusText, ok, type, url, redirected, bodyUsed, headers }) =>
        ({ status, statusText, ok, type, url, redirected, bodyUsed, headers: [...headers] }))(new Response())`),
    ).toEqual({
      status: 200,
      statusText: '',
      ok: true,
      type: 'default',
      url: '',
      redirected: false,
      bodyUsed: false,
      headers: [],
    })
  })

  it.each([
    ['a string', `'é'`, 'text/plain;charset=UTF-8', 'é'],
    ['a number', '7', 'text/plain;charset=UTF-8', '7'],
    ['an object', '{}', 'text/plain;charset=UTF-8', '[object Object]'],
    [
      'URLSearchParams',
      `new URLSearchParams('a=b&c')`,
      'application/x-www-form-urlencoded;charset=UTF-8',
      'a=b&c=',
    ],
    ['bytes', `new TextEncoder().encode('x')`, null, 'x'],
    ['a DataView', `new DataView(new TextEncoder().encode('xyz').buffer, 1, 1)`, null, 'y'],
    ['a buffer', `new TextEncoder().encode('x').buffer`, null, 'x'],
    ['null', 'null', null, ''],
    ['undefined', 'undefined', null, ''],
  ])('takes %s as a body', (_, body, type, text) => {
    expect(
      run(`const r = new Response(${body}); return [r.headers.get('content-type'), await r.text()]`),
    ).toEqual([type, text])
  })

  it('copies the bytes it is given', () => {
    expect(
      run(
        `const b = new Uint8Array([1, 2]); const r = new Response(b); b[0] = 9; return [...await r.bytes()]`,
      ),
    ).toEqual([1, 2])
    expect(
      run(
        `const r = new Response(new Uint8Array([1])); const c = r.clone(); (await r.bytes())[0] = 9; return [...await c.bytes()]`,
      ),
    ).toEqual([1])
  })

  it('drops a byte order mark, and replaces a lone surrogate, when it is read as text', () => {
    expect(
      run(`return [await new Response('\\ufeffa').text(), await new Response('\\ud800').text()]`),
    ).toEqual(['a', '\ufffd'])
  })

  it('keeps a Content-Type it is given', () => {
    expect(
      value(`[new Response('x', { headers: { 'CONTENT-TYPE': 'a/b' } }), Response.json(1, { headers: { 'content-type': 'a/c' } }),
        Response.html('x', { headers: [['content-type', 'a/d']] })].map((r) => r.headers.get('content-type'))`),
    ).toEqual(['a/b', 'a/c', 'a/d'])
  })

  it('can be changed by its headers', () => {
    const sandbox = open()
    sandbox.load(
      `exports.default = () => { const r = Response.json(1); r.headers.append('x', 'y'); r.headers.delete('content-type'); return r }`,
    )
    expect(sandbox.invoke(head())).toMatchObject({ state: STATE.TEXT, head: 'x: y\r\n', body: '1' })
  })

  it('has the statics', () => {
    expect(
      run(`const r = Response.redirect('http://h/é', 308), e = Response.error(), j = Response.json({ a: 1 }, { status: 201, statusText: 'Made' })
        return [r.status, r.headers.get('location'), e.status, e.type, e.ok, j.status, j.statusText, await j.json(), await Response.text(5).text()]`),
    ).toEqual([308, 'http://h/%C3%A9', 0, 'error', false, 201, 'Made', { a: 1 }, '5'])
  })

  it.each([
    ['a status below 200', `new Response('', { status: 199 })`, 'RangeError'],
    ['a status above 599', `Response.json(1, { status: 600 })`, 'RangeError'],
    ['a status that is no number', `new Response('', { status: 'x' })`, 'RangeError'],
    ['a body with 204', `new Response('', { status: 204 })`, 'TypeError'],
    ['JSON with 304', `Response.json(1, { status: 304 })`, 'TypeError'],
    ['a statusText with a line end', `new Response('', { statusText: 'a\\nb' })`, 'TypeError'],
    ['a statusText beyond latin1', `new Response('', { statusText: '\\u0100' })`, 'TypeError'],
    ['what has no JSON', `Response.json(undefined)`, 'TypeError'],
    ['a function as JSON', `Response.json(() => 1)`, 'TypeError'],
    ['a circle as JSON', `const c = {}; c.c = c; Response.json(c)`, 'TypeError'],
    ['a relative redirect', `Response.redirect('/a')`, 'TypeError'],
    ['a redirect with 200', `Response.redirect('http://h/', 200)`, 'RangeError'],
    ['a symbol as body', `new Response(Symbol())`, 'TypeError'],
    [
      'a foreign receiver',
      `Object.getOwnPropertyDescriptor(Response.prototype, 'status').get.call({})`,
      'TypeError',
    ],
  ])('refuses %s', (_, code, name) => {
    expect(run(`try { ${code}; return 'accepted' } catch (e) { return e.name }`)).toBe(name)
  })

  it('is cloned with headers of its own', () => {
    expect(
      run(`const a = new Response('x', { status: 404, headers: { h: '1' } }); const b = a.clone(); b.headers.set('h', '2')
        return [a.headers.get('h'), b.headers.get('h'), b.status, await a.text(), await b.text(), a.bodyUsed]`),
    ).toEqual(['1', '2', 404, 'x', 'x', true])
  })

  it('takes another response as its init', () => {
    expect(
      run(`const a = Response.json({ a: 1 }, { status: 202, headers: { h: '1' } }); const b = new Response(await a.text(), a)
        return [b.status, [...b.headers], await b.text()]`),
    ).toEqual([
      202,
      [
        ['content-type', 'application/json'],
        ['h', '1'],
      ],
      '{"a":1}',
    ])
  })

  describe('made anew of the body of another, as middleware does', () => {
    const answerOf = (code: string) => {
      const sandbox = open()
      sandbox.load(`exports.default = async (request) => { ${code} }`)
      return sandbox.invoke(head())
    }

    it.each([
      ['text', `'a\u20ac'`],
      ['bytes', `new TextEncoder().encode('a\u20ac')`],
    ])('answers whole what nobody has read: %s', (_, init) => {
      const answer = answerOf(
        `const a = new Response(${init}, { status: 201 }); const b = new Response(a.body, a); b.headers.set('h', '1')
          return new Response(b.body, b)`,
      )
      expect(answer).toMatchObject({ state: STATE.BYTES, status: 201 })
      expect(answer.head).toContain('h: 1\r\n')
      expect(Buffer.from(answer.bytes!).toString()).toBe('a\u20ac')
    })

    it('gives the body once, to whichever of the two is read first', () => {
      expect(
        run(`const a = new Response('abc'); const b = new Response(a.body, a)
          return [a.body === b.body, await b.text(), a.bodyUsed, await a.text().catch((e) => e.name)]`),
      ).toEqual([true, 'abc', true, 'TypeError'])
    })

    // An empty answer of a stream that was cancelled will do; what the stream was made of will not.
    it.each([
      ['that was read', 'await a.body.getReader().read()'],
      ['that was cancelled', 'await a.body.cancel()'],
      ['that somebody reads', 'a.body.getReader()'],
    ])('refuses a stream %s', (_, code) => {
      expect(
        run(`const a = new Response('abc'); ${code}
          try { new Response(a.body, a); return 'accepted' } catch (e) { return e.name }`),
      ).toBe('TypeError')
      const answer = answerOf(
        `const a = new Response('abc'); const b = new Response(a.body, a); ${code}; return b`,
      )
      expect([STATE.FAILED, STATE.STREAM]).toContain(answer.state)
    })

    it('has the same fields, and none in common', () => {
      expect(
        run(`const a = new Response('x', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['h', '1']] })
          const b = new Response(a.body, a); b.headers.set('h', '2'); b.headers.append('set-cookie', 'c=3')
          return [a.headers.get('h'), a.headers.getSetCookie(), b.headers.get('h'), b.headers.getSetCookie()]`),
      ).toEqual(['1', ['a=1', 'b=2'], '2', ['a=1', 'b=2', 'c=3']])
    })
  })

  it('can be subclassed', () => {
    const sandbox = open()
    sandbox.load(
      `class Mine extends Response { constructor(x) { super(x + '!', { status: 203 }) } } exports.default = () => new Mine('a')`,
    )
    expect(sandbox.invoke(head())).toMatchObject({ status: 203, body: 'a!' })
  })
})
