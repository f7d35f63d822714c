// A good session at 50x3 while bad packets come, a hundred thousand a second.
import { setTimeout as sleep } from 'node:timers/promises'

const RATE = 100_000
/**
 * Good packets but for one thing: TTL 254; a wrong version, state, Detect Mult or length; the neighbour's address with a
 * discriminator that is nobody's; Your Discriminator 0 from 131,072 strangers.
 */
const KINDS = ['ttl', 'malformed', 'discriminator', 'source']

const sum = counts => Object.values(counts).reduce((total, count) => total + count, 0)

/** What ours has counted of what was sent. */
async function counted(daemon) {
  const { session, discards, kernelDrops, floods } = await daemon.ask('look')
  return { discards: { ...discards, ...session.discards }, kernelDrops, floods }
}

async function endure(run, daemon, kinds, seconds) {
  const { kind, farEnd } = daemon
  const title = `flood of ${RATE / 1000} k/s, ${kinds.length > 1 ? 'all kinds' : kinds[0]}`
  const { samples } = run
  const before = kind.ours ? await counted(daemon) : undefined
  farEnd.reset()
  let sent
  const { all } = await daemon.load(async () => {
    sent = await daemon.flood({ rate: RATE, seconds, kinds })
  })
  await sleep(200)
  const seen = await farEnd.stats()
  samples.add(kind.id, `${title}: Downs`, 'count', seen.downs, { goal: 0 })
  samples.add(kind.id, `${title}: silences that are a Down to others`, 'count', seen.silences, { goal: 0 })
  samples.add(kind.id, `${title}: CPU`, '% of a core', all)
  samples.add(kind.id, `${title}: longest gap between packets`, 'ms', seen.gapMax)
  const rate = `${Math.round(sent.sent / sent.seconds / 1000)} k/s for ${seconds} s`
  run.say(kind, `${title}: ${rate}, CPU ${all.toFixed(1)} %, ${seen.downs} Downs, gaps up to ${seen.gapMax} ms`)
  if (!kind.ours) return
  // The worker looks once a second at what the kernel has dropped.
  await sleep(1100)
  const after = await counted(daemon)
  const read = sum(after.discards) - sum(before.discards)
  const dropped = after.kernelDrops - before.kernelDrops
  samples.add(kind.id, `${title}: not counted`, '% of the packets', 100 * (1 - (read + dropped) / sent.sent))
  run.say(
    kind,
    `${title}: ${read} read, ${dropped} dropped by the kernel of ${sent.sent}; ${JSON.stringify(after.discards)}`,
  )
  // Until the filter is off again.
  if (!run.quick) await sleep(7000)
}

export async function flood(run) {
  console.error('flood')
  const seconds = run.quick ? 2 : 10
  const rounds = run.quick ? [KINDS] : [KINDS, ...KINDS.map(kind => [kind])]
  await run.together('flood', { interval: 50, multiplier: 3 }, async daemons => {
    for (const kinds of rounds)
      for (const daemon of daemons) await run.all('flood', [daemon], () => endure(run, daemon, kinds, seconds))
  })
}
