import { ANSWER_ERRORS } from '../errors.ts'

/** What the acceptor itself answers for an actor that has ended. */
export const SHARD_RESTARTED = ownAnswer('shard-restarted', 'Bad Gateway')
/** And to the request that it was ended for. */
export const CPU_LIMIT = ownAnswer('cpu-limit', 'Service Unavailable')
/** Of a file that the actor has found and that cannot be sent. */
export const FILE_UNAVAILABLE = ownAnswer('file-unavailable', 'Service Unavailable')

function ownAnswer(code: 'shard-restarted' | 'cpu-limit' | 'file-unavailable', phrase: string): Buffer {
  const { status, message } = ANSWER_ERRORS[code]
  const body = JSON.stringify({ error: code, status, message })
  const head = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`
  return Buffer.from(`HTTP/1.1 ${status} ${phrase}\r\n${head}\r\n\r\n${body}`)
}
