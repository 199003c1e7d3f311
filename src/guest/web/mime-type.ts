import { toLowerCase } from '../primordials.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const QUOTED = /^[\t\x20-\x7e\x80-\xff]*$/
const HTTP_SPACE_AT_ENDS = /^[\t\n\r ]+|[\t\n\r ]+$/g

interface MimeType {
  readonly essence: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

const trim = (text: string): string => text.replace(HTTP_SPACE_AT_ENDS, '')

/** MIME Sniffing, section 4.4 ("parse a MIME type"); undefined for what is none. */
function parse(input: string): MimeType | undefined {
  const [first = '', ...rest] = split(trim(input), ';')
  const slash = first.indexOf('/')
  if (slash < 0) return undefined
  const type = first.slice(0, slash)
  const subtype = first.slice(slash + 1).replace(/[\t\n\r ]+$/, '')
  if (!TOKEN.test(type) || !TOKEN.test(subtype)) return undefined
  const parameters: [string, string][] = []
  for (const text of rest) {
    const equals = text.indexOf('=')
    if (equals < 0) continue
    const name = toLowerCase(text.slice(0, equals).replace(/^[\t\n\r ]+/, ''))
    const value = parameterValue(text.slice(equals + 1))
    if (value === undefined || !TOKEN.test(name) || !QUOTED.test(value)) continue
    if (parameters.every(([known]) => known !== name)) parameters.push([name, value])
  }
  return { essence: toLowerCase(`${type}/${subtype}`), parameters }
}

/** A parameter's value, out of its quotes; undefined for an empty one without. */
function parameterValue(text: string): string | undefined {
  if (text[0] !== '"') {
    const value = text.replace(/[\t\n\r ]+$/, '')
    return value === '' ? undefined : value
  }
  let value = ''
  for (let i = 1; i < text.length && text[i] !== '"'; i++) {
    if (text[i] === '\\' && i + 1 < text.length) i++
    value += text[i]
  }
  return value
}

/** The pieces between a character that stands outside of quotes. */
function split(text: string, separator: string): string[] {
  const pieces: string[] = []
  let piece = ''
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === '"') isQuoted = !isQuoted
    else if (char === '\\' && isQuoted && i + 1 < text.length) piece += text[i++]
    if (char === separator && !isQuoted) {
      pieces.push(piece)
      piece = ''
    } else piece += text[i]!
  }
  return [...pieces, piece]
}

/** Fetch, "extract a MIME type", of a field's value: the last of a list that is one. */
function extract(value: string): MimeType | undefined {
  return split(value, ',').reduce<MimeType | undefined>((found, text) => {
    const type = parse(text)
    return type === undefined || type.essence === '*/*' ? found : type
  }, undefined)
}

export function essenceOf(value: string): string | undefined {
  return extract(value)?.essence
}

export function parameterOf(value: string, name: string): string | undefined {
  return extract(value)?.parameters.find(([known]) => known === name)?.[1]
}

/** MIME Sniffing, "serialize a MIME type", of a field's value; '' for what is none. */
export function serializedType(value: string): string {
  const type = extract(value)
  if (type === undefined) return ''
  return type.parameters.reduce((text, [name, parameter]) => {
    const isToken = TOKEN.test(parameter)
    return `${text};${name}=${isToken ? parameter : `"${parameter.replace(/["\\]/g, '\\$&')}"`}`
  }, type.essence)
}
