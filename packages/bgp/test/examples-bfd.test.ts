/** The program that watches addresses with BFD, against a system of our own in another namespace. */
import t from 'tap'
import { Peer } from './bfd-node-peer.js'
import { ExampleProcess, runExample } from './example-process.js'
import { createHost, isInside, missingPrivilege } from './interop/namespace.js'

/** Milliseconds, and packets enough that no pause of a busy machine takes a session down. */
const FAST = { transmitInterval: 50, receiveInterval: 50, detectMultiplier: 60 }

function define(): void {
  t.test('bfd prints what becomes of each address, and what it knows when it is asked', async t => {
    await using host = await createHost(['10.9.1.1/24', 'fd09::1/64'], ['10.9.1.2/24', 'fd09::2/64'])
    const authentication = { type: 'keyed-sha1', keyId: 7, key: 'a:b' } as const
    await using peer = await Peer.start(host, [
      { address: '10.9.1.1', ...FAST, authentication },
      { address: 'fd09::1', ...FAST, authentication },
    ])
    const options = ['--transmit', '50', '--receive', '60', '--multiplier', '60', '--auth', 'keyed-sha1:7:a:b']
    await using program = new ExampleProcess('bfd.mjs', ...options, '10.9.1.2', 'fd09:0::2')
    t.same((await program.next('watching'))['watching'], ['10.9.1.2', 'fd09::2'])
    for (let up = 0; up < 2; up++) {
      t.match(await program.next('to', to => to === 'Up'), { from: /Down|Init/, diagnostic: 'No Diagnostic' })
    }

    program.signal('SIGUSR1')
    for (const address of ['10.9.1.2', 'fd09::2']) {
      const own = { detectMult: 60, desiredMinTxInterval: 50_000, requiredMinRxInterval: 60_000 }
      t.match((await program.next('snapshot'))['snapshot'], { address, state: 'Up', discards: {}, ...own })
    }

    peer.process.kill('SIGTERM')
    t.match(await program.next('to', to => to === 'Down'), {
      from: 'Up',
      remoteState: 'AdminDown',
      diagnostic: 'Neighbor Signaled Session Down',
      remoteDiagnostic: 'Administratively Down',
      cause: 'the neighbor signaled AdminDown',
    })
    t.equal(await program.interrupt(), 0)
  })

  t.test('bfd prints snapshots every so often, and says in a line what is in its way', async t => {
    await using program = new ExampleProcess('bfd.mjs', '--every', '1', '--passive', '127.0.0.1')
    for (let times = 0; times < 2; times++) {
      t.match(await program.next('snapshot'), { snapshot: { address: '127.0.0.1', state: 'Down', packetsSent: 0 } })
    }
    t.match(await runExample('bfd.mjs', '192.0.2.1'), { code: 1, errors: /^BFD cannot start: [^\n]*3784[^\n]*\n$/ })
    t.equal(await program.interrupt(), 0)
    t.match(await runExample('bfd.mjs', '--interface', 'eth0', '--multihop', '192.0.2.1'), {
      code: 2,
      errors: /^interface must be left out[^\n]*\n$/,
    })
  })
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('the example of BFD, between namespaces', { skip: missing }, async () => {})
else if (isInside()) define()
