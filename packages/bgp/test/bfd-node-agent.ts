import { Bfd, type BfdSessionOptions } from '@typemetal/bgp/bfd'

/** What it is started with: JSON of this is its argument. */
export type AgentSessions = readonly BfdSessionOptions[]

/** A system of its own process: prints what happens, one line each; SIGTERM closes it, SIGUSR2 makes it print its sessions. */
const sessions = JSON.parse(process.argv[2] ?? '[]') as AgentSessions
const bfd = await Bfd.start()
for (const options of sessions) {
  const session = bfd.session(options)
  session.on('state', (to, _from, { diagnostic, remoteState }) => {
    console.log(`${session.address} ${to} ${diagnostic} ${remoteState}`)
  })
}
process.on('SIGUSR2', () => console.log(`sessions ${JSON.stringify(bfd.sessions())}`))
process.on('SIGTERM', () => {
  void bfd.close().then(() => console.log('closed'))
})
console.log('ready')
