// Five nodes on this machine: they join, say hello, one is killed, one leaves.
//
//     node packages/memberlist/examples/ring.mjs
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Memberlist } from '@typemetal/memberlist'

if (process.argv[2] === 'node') {
  // A node in a process of its own, so that it can be killed.
  const node = new Memberlist({ name: process.argv[3], bindAddress: '127.0.0.1', bindPort: 0 })
  await node.start()
  await node.join([process.argv[4]])
  process.send('joined')
} else {
  const start = Date.now()
  const say = text => console.log(`${((Date.now() - start) / 1000).toFixed(2).padStart(6)} s  ${text}`)

  const first = new Memberlist({ name: 'first', bindAddress: '127.0.0.1', bindPort: 0 })
  for (const event of ['join', 'leave']) first.on(event, ({ name, state }) => say(`${event}: ${name} is ${state}`))
  await first.start()
  const seed = `127.0.0.1:${first.port}`

  const children = new Map()
  for (const name of ['second', 'third', 'fourth']) {
    const child = fork(import.meta.filename, ['node', name, seed])
    await once(child, 'message')
    children.set(name, child)
  }

  const last = new Memberlist({ name: 'last', bindAddress: '127.0.0.1', bindPort: 0 })
  last.on('message', payload => say(`last hears: ${Buffer.from(payload).toString()}`))
  await last.start()
  await last.join([seed])
  await first.sendReliable(last.localMember(), Buffer.from('hello'))
  await new Promise(resolve => setTimeout(resolve, 1500))

  say('killing third')
  children.get('third').kill('SIGKILL')
  await once(first, 'leave')
  say('last leaves')
  await last.leave()
  say(
    `members: ${first
      .members()
      .map(member => member.name)
      .toSorted()
      .join(', ')}`,
  )
  for (const child of children.values()) child.kill('SIGKILL')
  await Promise.all([first.close(), last.close()])
}
