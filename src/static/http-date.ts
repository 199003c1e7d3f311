// HTTP-date, RFC 9110, section 5.6.7: the one form that is sent, and all three that are to be understood.

const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day'
const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec'
const TIME = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)'

/** The preferred form, and the two obsolete ones (section 5.6.7: a recipient must accept all three). */
const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) (?<month>${MONTHS}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-(?<month>${MONTHS})-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} (?<month>${MONTHS}) (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`),
]
const MONTH_NAMES = MONTHS.split('|')
/** Longer than any of them. */
const DATE_CHARACTERS_MAX = 40

/** Seconds since 1970; NaN for what is no HTTP-date. `nowMs` tells which century two digits mean. */
export function parseHttpDate(text: string, nowMs: number): number {
  if (text.length > DATE_CHARACTERS_MAX) return Number.NaN
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups
    if (parts === undefined) continue
    const year = fullYear(parts['year']!, nowMs)
    const month = MONTH_NAMES.indexOf(parts['month']!)
    const day = Number(parts['day'])
    const ms = Date.UTC(
      year,
      month,
      day,
      Number(parts['hour']),
      Number(parts['minute']),
      Number(parts['second']),
    )
    // The 31st of a month that has none is no date.
    return new Date(Date.UTC(year, month, day)).getUTCDate() === day ? ms / 1000 : Number.NaN
  }
  return Number.NaN
}

/** Two digits that seem to lie more than 50 years ahead mean the last such year that is past. */
function fullYear(digits: string, nowMs: number): number {
  if (digits.length === 4) return Number(digits)
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = Math.floor(thisYear / 100) * 100 + Number(digits)
  return year > thisYear + 50 ? year - 100 : year
}

/** Whole seconds since 1970 in the form that is sent (IMF-fixdate). */
export function httpDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString()
}
