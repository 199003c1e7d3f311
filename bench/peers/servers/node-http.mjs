import { answer } from '../work.js'
import { serve } from './node.mjs'

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
serve((path, body) => answer(path, body, later))
