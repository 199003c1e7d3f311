// What the acceptor and an actor say to each other: the types of the records in a shard's two rings.
//
// Every record carries the connection it is about: its slot in the shard's table, and the slot's generation, so that a late
// answer never reaches the stranger who has the slot by then. Flow control is by credit, both ways: either side may
// have so many unacknowledged bytes of a connection under way, and a credit record gives some back.

/** Acceptor to actor. */
export const REQUEST = {
  /** Payload: bytes as they came from the socket. */
  DATA: 1,
  /** The client has sent its FIN; it may still read. No payload. */
  END: 2,
  /** The connection is gone. No payload. */
  GONE: 3,
  /** Payload: int32, answer bytes that the kernel has taken since the last such record. */
  SENT: 4,
  /** To the shard, not to a connection: answer what has come, close what is idle. No payload. */
  DRAIN: 5,
  /** To the shard: end. No payload. */
  STOP: 6,
  /** A new connection: its idle time begins. No payload. */
  OPEN: 7,
  /** As OPEN, of a connection that another shard has handed on: its next request stays here. */
  OPEN_MOVED: 8,
  /** To the shard: the time for answers is over, what is in flight is answered 503. No payload. Comes after DRAIN. */
  ABORT: 9,
  /** The client has all of the file that a FILE record named. No payload. */
  FILE_SENT: 16,
  /** To the shard: the job of its COMPRESS record is done, and its result lies in the shard's exchange memory. No payload. */
  COMPRESSED: 17,
} as const

/** Actor to acceptor. */
export const RESPONSE = {
  /** Payload: bytes to write; more of this answer, or another answer, is to follow. */
  DATA: 1,
  /**
   * Payload: bytes to write; with them every request that has come on the connection is answered. The upper bits of the
   * record's type say how many DATA records had come (`idleType`): the acceptor may have sent more meanwhile.
   */
  DATA_IDLE: 2,
  /** Payload: bytes to write, possibly none; then the connection is closed when the client has them. */
  DATA_CLOSE: 3,
  /** Payload: int32, request bytes that were consumed since the last such record. */
  CONSUMED: 4,
  /**
   * The connection is for another shard, of the `LANE` in the record's upper bits. Payload: request bytes that were not consumed.
   * What comes for it later comes back by further MOVE records, until its GONE is answered by MOVED.
   */
  MOVE: 5,
  /** Nothing more of this moving connection will come. No payload. */
  MOVED: 6,
  /** Payload: bytes to write, whole messages; an answer is still owed. For 100 (Continue). */
  INTERIM: 8,
  /** To the shard: a function has used up its processor time. Payload: int32, its index. */
  OFFENCE: 7,
  /**
   * A whole answer with parts of a file in it, which the acceptor reads itself. Payload: src/file-record.ts. Nothing more of this
   * connection is written before FILE_SENT; a file that cannot be sent as it was ends the connection.
   */
  FILE: 16,
  /** To the shard: compress a file; one at a time. Payload: src/file-record.ts. */
  COMPRESS: 17,
} as const

/** Why the run of a guest is to stop, by the shared word that its engine's polls look at. */
export const CANCEL = {
  /** Its client has gone: there is nobody to answer. */
  GONE: 1,
  /** Its request is past `limits.wallMs`. */
  DEADLINE: 2,
  /** It has had its shard for `watchdog.holdMs` while others waited for it. */
  OVERLOAD: 3,
  /** The server stops, and the time for answers is over. */
  SHUTDOWN: 4,
} as const

/** Where a moving connection goes. */
export const LANE = {
  /** To a shard that serves everybody. */
  NORMAL: 0,
  /** To the shard of functions that keep burning processor time. */
  PENALTY: 1,
} as const

/** Bytes of the payload of SENT, CONSUMED and OFFENCE. */
export const CREDIT_BYTES = 4

const KIND_BITS = 8
/** DATA records of a connection are counted modulo this. */
export const IDLE_COUNTS = 2 ** (31 - KIND_BITS)

/** One of RESPONSE, of a record's type. */
export const kindOf = (type: number): number => type & (2 ** KIND_BITS - 1)

/** The type of a MOVE record to this lane. */
export const moveType = (lane: number): number => (lane << KIND_BITS) | RESPONSE.MOVE

/** The lane in a MOVE record's type. */
export const laneOf = (type: number): number => type >>> KIND_BITS

/** The count in a DATA_IDLE record's type. */
export const idleCountOf = (type: number): number => type >>> KIND_BITS

/** The type of a DATA_IDLE record after `received` DATA records. */
export const idleType = (received: number): number => (received << KIND_BITS) | RESPONSE.DATA_IDLE
