import { describe, expect, it } from 'vitest'
import { describeGuests } from './guests.ts'
import { head } from './sandbox.ts'

describeGuests('Headers', ({ run, value }) => {
  it.each([
    ['a record', `{ B: '1', a: ' x\\t' }`],
    ['pairs', `[['B', '1'], ['a', ' x\\t']]`],
    ['a Map', `new Map([['B', '1'], ['a', 'x']])`],
    ['Headers', `new Headers({ B: '1', a: 'x' })`],
  ])('are made of %s, and iterate sorted in lower case', (_, init) => {
    expect(value(`[...new Headers(${init})]`)).toEqual([
      ['a', 'x'],
      ['b', '1'],
    ])
  })

  it('combine values, but not cookies', () => {
    expect(
      run(`const h = new Headers(); h.append('set-cookie', 'a=1'); h.append('X', '1'); h.append('Set-Cookie', 'b=2'); h.append('x', '2')
        return [[...h], h.get('x'), h.get('set-cookie'), h.getSetCookie(), h.has('X'), h.get('y')]`),
    ).toEqual([
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x', '1, 2'],
      ],
      '1, 2',
      'a=1, b=2',
      ['a=1', 'b=2'],
      true,
      null,
    ])
  })

  it('set in the place of the first, and delete', () => {
    expect(
      run(`const h = new Headers([['a', '1'], ['b', '2'], ['A', '3']]); h.set('A', '4'); h.delete('b'); h.set('c', '')
        return [[...h], [...h.keys()], [...h.values()]]`),
    ).toEqual([
      [
        ['a', '4'],
        ['c', ''],
      ],
      ['a', 'c'],
      ['4', ''],
    ])
  })

  it('iterate live', () => {
    expect(
      run(`const h = new Headers({ a: '1', c: '3' }); const seen = []
        for (const [name] of h) { seen.push(name); if (name === 'a') h.append('b', '2') }
        h.forEach(function (value, name, all) { seen.push(name + value + (all === h) + this) }, 7)
        return seen`),
    ).toEqual(['a', 'b', 'c', 'a1true7', 'b2true7', 'c3true7'])
  })

  it.each([
    ['a name with a space', `new Headers({ 'a b': '1' })`],
    ['an empty name', `new Headers({ '': '1' })`],
    ['a name beyond ASCII', `new Headers({ 'é': '1' })`],
    ['a value with a line end inside', `new Headers({ a: 'x\\ny' })`],
    ['a value with CR inside', `new Headers({ a: 'x\\r\\ny: z' })`],
    ['a value with NUL', `new Headers({ a: 'x\\0' })`],
    ['a value beyond latin1', `new Headers({ a: '\\u0100' })`],
    ['a pair of three', `new Headers([['a', 'b', 'c']])`],
    ['a pair of one', `new Headers([['a']])`],
    ['a number', `new Headers(7)`],
    ['a symbol as value', `new Headers({ a: Symbol() })`],
    ['append with a bad name', `new Headers().append('a:', '1')`],
    ['get with a bad name', `new Headers().get('a:')`],
    ['forEach without a function', `new Headers().forEach(1)`],
    ['a foreign receiver', `Headers.prototype.get.call({}, 'a')`],
  ])('refuse %s', (_, expression) => {
    expect(run(`try { ${expression}; return 'accepted' } catch (e) { return e.name }`)).toBe('TypeError')
  })

  it('trim line ends at both sides of a value', () => {
    expect(value(`new Headers({ a: '\\r\\n x y \\t\\n' }).get('a')`)).toBe('x y')
  })

  it('check each value, whatever was sent under that name before', () => {
    expect(
      run(`const make = (...values) => values.map((v) => { try { return new Headers({ 'x-Again': v }).get('X-AGAIN') } catch (e) { return e.name } })
        return [make('', 'one', 'one', 'two\\n', ' one ', 'o\\nne', '\\u0100', 'one'), make(1, '1', undefined, 'undefined', null, { toString: () => '1' }),
          make('caf\\xe9', 'caf\\u0365', 'y'.repeat(1000) + '\\0', 'y'.repeat(1000)).map((text) => text.length)]`),
    ).toEqual([
      ['', 'one', 'one', 'two', 'one', 'TypeError', 'TypeError', 'one'],
      ['1', '1', 'undefined', 'undefined', 'null', '1'],
      [4, 9, 9, 1000],
    ])
  })

  it('take from a record what they take one by one, whatever stands beside it', () => {
    expect(
      run(`
        const values = ['plain', '', ' ', ' a', 'a ', '\\ta', 'a\\t', 'a b', 'a\\x01b', '\\x01', ' \\x01', '\\x01 ', '\\x01 a', 'a \\x01', '\\x7f', '\\xe9', '\\xff ', 'a\\rb',
          'a\\nb', 'a\\r\\nset-cookie: b', '\\0', 'a\\0', '\\u0100', 'a\\uffff', '\\ud800', '\\n', '\\na\\n', 7, null, undefined, { toString: () => ' x ' }, 'x'.repeat(3000), 'x'.repeat(3000) + ' ', 'x'.repeat(3000) + '\\n']
        const names = ['content-type', 'X-One', 'x-two']
        const outcome = (f) => { try { return JSON.stringify([...f()]) } catch (error) { return error.name } }
        const wrong = []
        let count = 0
        for (const before of ['a', ' b ', 'c\\x01', 'd'.repeat(2050)]) for (const value of values) for (const after of values.filter((_, at) => at % 5 === 0)) {
          const all = [before, value, after]
          const together = outcome(() => new Headers(Object.fromEntries(names.map((name, at) => [name, all[at]]))))
          const alone = outcome(() => { const h = new Headers(); all.forEach((each, at) => h.append(names[at], each)); return h })
          count++
          if (together !== alone) wrong.push([together.slice(0, 100), alone.slice(0, 100)])
        }
        return [wrong, count]`),
    ).toEqual([[], 4 * 34 * 7])
  })

  it('check values under names of which there are too many to remember', () => {
    expect(
      run(`const names = Array.from({ length: 300 }, (_, i) => 'X-Name-' + i)
        const h = new Headers(names.map((name) => [name, name])); let refused = 0
        for (const name of names) try { h.set(name, 'a\\rb') } catch { refused++ }
        return [refused, h.get('x-name-0'), h.get('x-name-299'), new Headers({ 'X-Name-299': undefined }).get('x-name-299')]`),
    ).toEqual([300, 'X-Name-0', 'X-Name-299', 'undefined'])
  })

  it('read a record key by key, as a proxy sees it', () => {
    expect(
      run(`const seen = []
        const record = new Proxy({ a: '1', b: '2' }, {
          ownKeys: (o) => { seen.push('keys'); return Reflect.ownKeys(o) },
          getOwnPropertyDescriptor: (o, key) => { seen.push('own ' + key); return Reflect.getOwnPropertyDescriptor(o, key) },
          get: (o, key) => { seen.push('get ' + String(key)); return o[key] } })
        const names = [...new Headers(record).keys()]
        let symbol; try { new Headers({ [Symbol('s')]: '1' }) } catch (e) { symbol = e.name }
        return [seen.slice(1), names, symbol]`),
    ).toEqual([['keys', 'own a', 'get a', 'own b', 'get b'], ['a', 'b'], 'TypeError'])
  })

  it('see a change while somebody iterates, of a value as well', () => {
    expect(
      run(`const h = new Headers({ a: '1', b: '2', c: '3' }); const seen = []
        for (const [name, value] of h) { seen.push(name + value); if (name === 'a') { h.set('b', '4'); h.delete('c') } }
        const other = h.entries(), next = Object.getPrototypeOf(other)
        return [seen, [...other], Object.keys(next), Object.hasOwn(next, 'constructor'), Object.hasOwn(other, 'next')]`),
    ).toEqual([
      ['a1', 'b4'],
      [
        ['a', '1'],
        ['b', '4'],
      ],
      ['next'],
      false,
      false,
    ])
  })

  it('are shaped as WebIDL wants', () => {
    expect(
      value(`[Headers.name, String(new Headers()), Object.keys(Headers.prototype).sort().join(), String(new Headers().entries()),
        Headers.prototype[Symbol.iterator] === Headers.prototype.entries]`),
    ).toEqual([
      'Headers',
      '[object Headers]',
      'append,delete,entries,forEach,get,getSetCookie,has,keys,set,values',
      '[object Headers Iterator]',
      true,
    ])
  })

  describe('of an incoming request', () => {
    const incoming = head('GET', '/', {
      'X-One': ' 1 ',
      'x-one': '2',
      'X-Empty': '',
      'x-': 'cut',
      'X-Latin': 'caf\xe9',
    })

    it('are found by name in any case, before and after all are parsed', () => {
      expect(
        run(
          `const h = request.headers
          const look = () => [h.get('X-ONE'), h.get('x-empty'), h.has('host'), h.get('hos'), h.get('x-latin'), h.get('one'), h.getSetCookie()]
          const before = look(); const all = [...h]; return [before, look(), all]`,
          incoming,
        ),
      ).toEqual([
        ['1, 2', '', true, null, 'caf\xe9', null, []],
        ['1, 2', '', true, null, 'caf\xe9', null, []],
        [
          ['host', 'example.test'],
          ['x-', 'cut'],
          ['x-empty', ''],
          ['x-latin', 'caf\xe9'],
          ['x-one', '1, 2'],
        ],
      ])
    })

    it('are immutable, their copies are not', () => {
      expect(
        run(
          `const errors = ['append', 'set', 'delete'].map((m) => { try { request.headers[m]('a', 'b') } catch (e) { return e.name } })
          const copy = new Headers(request.headers); copy.set('x-one', '3')
          return [errors, copy.get('x-one'), request.headers.get('x-one'), request.headers === request.headers]`,
          incoming,
        ),
      ).toEqual([['TypeError', 'TypeError', 'TypeError'], '3', '1, 2', true])
    })
  })
})
