// What the benchmark itself takes: the feeder's octets straight to the sink, with no daemon between them.
import { DAEMON, FEEDER } from './place.mjs'

/** Milliseconds from the first octet that the feeder gives away until the sink has counted the last prefix. */
export async function floor(run) {
  const { feeder, sink } = run.place
  const size = run.quick ? 100_000 : 1_000_000
  console.error(`floor: feeder to sink, ${size} prefixes`)
  await feeder.ask('prepare', { size, ...FEEDER })
  for (let trial = 0; trial < run.trials; trial++) {
    await sink.ask('listen', { address: DAEMON.address, port: 179 })
    await feeder.ask('dial', { name: 'feeder', to: DAEMON.address, ...FEEDER })
    const reached = sink.ask('reach', { name: 'incoming', size, limit: 10_000 })
    const { started } = await feeder.ask('feed', { name: 'feeder', size })
    const took = (await reached).at - started
    run.samples.add('ours', `floor: ${size} prefixes without a daemon`, 'ms', took)
    console.error(`  ${took.toFixed(1)} ms: ${(size / took / 1000).toFixed(1)} M prefixes/s`)
    await sink.ask('unlisten')
    await run.place.hangUp()
  }
}
