// nostr-tools' negentropy behind the lines of drive.c: a client only.
import readline from 'node:readline'
// the package does not export it
import { Negentropy, NegentropyStorageVector } from './node_modules/nostr-tools/lib/esm/nip77.js'

let storage, session, frame
const out = text => process.stdout.write(text + '\n')

function line(words) {
  switch (words[0]) {
    case 'start':
      storage = new NegentropyStorageVector()
      frame = Number(words[2])
      break
    case 'item':
      storage.insert(Number(words[1]), words[2])
      break
    case 'seal':
      storage.seal()
      session = new Negentropy(storage, frame)
      out('msg ' + session.initiate())
      break
    case 'msg': {
      const found = []
      const next = session.reconcile(words[1], id => found.push('have ' + id), id => found.push('need ' + id))
      out([...found, next === null ? 'done' : 'msg ' + next].join('\n'))
      break
    }
    default:
      throw new Error('what?')
  }
}

readline.createInterface({ input: process.stdin }).on('line', text => {
  try {
    line(text.split(' '))
  } catch (e) {
    out('error ' + e.message)
  }
})
