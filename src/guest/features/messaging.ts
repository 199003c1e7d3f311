import { defineFeature } from '../feature.ts'
import { MessageChannel, MessagePort } from '../web/message-channel.ts'
import { MessageEvent } from '../web/message-event.ts'
import { structuredClone } from '../web/structured-clone.ts'

defineFeature('messaging', {
  globals: { MessageChannel, MessageEvent, MessagePort, structuredClone },
  hooks: {},
})
