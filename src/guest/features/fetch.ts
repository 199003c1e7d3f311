import { defineFeature, nameFunction } from '../feature.ts'
import { assets } from '../web/assets.ts'
import { fetch } from '../web/fetch.ts'
import { copyMembers, extendRequest, readMembers } from '../web/request-members.ts'

extendRequest()
nameFunction(assets.fetch, 'fetch')
defineFeature('fetch', { globals: { fetch }, hooks: { assets, copyMembers, readMembers } })
