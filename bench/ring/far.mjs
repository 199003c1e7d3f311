// The thread at the far end of every peer.
import { workerData } from 'node:worker_threads'
import { far as port } from './port-peer.mjs'
import { far as ring } from './ring-peer.mjs'
import { far as ringbuf } from './ringbuf-peer.mjs'

const ends = { ring, 'ringbuf.js': ringbuf, MessagePort: port }
ends[workerData.peer](workerData)
