import { complete } from '../async.ts'
import { defineFeature } from '../feature.ts'
import { begin, join } from '../invocation.ts'
import { bodyOfStream, streamOfContent, usedStream } from '../web/body-stream.ts'
import { departureSignal, leave } from '../web/departure.ts'
import { dropUntaken, expectBody, push } from '../web/incoming.ts'
import { flow } from '../web/outgoing.ts'

defineFeature('async', {
  globals: {},
  hooks: {
    bodyOfStream,
    begin,
    complete,
    departureSignal,
    dropUntaken,
    expectBody,
    flow,
    join,
    leave,
    push,
    streamOfContent,
    usedStream,
  },
})
