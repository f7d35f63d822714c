/** Manifests change while everything runs. */
import { nextHopsOf } from '../../router/kernel-routes.js'
import { messageOf } from '../../errors.js'
import { check, prefixOf, servedBy, urlOf, wait, type Demo } from '../context.js'
import { SERVICES } from './announce.js'

/** A Service is deleted: its address, its routes and its answers are gone. */
export async function deleteService(demo: Demo): Promise<void> {
  const [address = ''] = demo.view.addressesOf(SERVICES.shortLived)
  await demo.report.step(`${SERVICES.shortLived} deleted: ${address} is gone`, async note => {
    check((await servedBy(demo, address)) !== '', `${address} did not answer before`)
    demo.folder.remove('docs.yaml')
    await wait(demo, `the routes to ${address} to go`, async () =>
      (await nextHopsOf(demo.network.router.namespace, prefixOf(address))).length === 0 ? true : undefined,
    )
    const reason = await wait(demo, `${address} to stop answering`, async () =>
      demo.client.get(urlOf(address)).then(() => undefined, messageOf),
    )
    note(`no route in the router; the client gets ${reason}`)
  })
}

/** The pool is used up; the next Service gets an event instead of an address. */
export async function exhaust(demo: Demo): Promise<void> {
  await demo.report.step('pool exhausted: the next Service says so', async note => {
    demo.folder.add('../demo-steps/fill.yaml')
    await wait(demo, 'the last addresses to be given', () =>
      ['demo/fill-1', 'demo/fill-2', 'demo/fill-3'].every(name => demo.view.addressesOf(name).length === 1)
        ? true
        : undefined,
    )
    demo.folder.add('../demo-steps/overflow.yaml')
    const event = await wait(demo, 'the event AllocationFailed of demo/overflow', async () => {
      const events = await demo.view.eventsOf('demo/overflow')
      return events.find(({ reason }) => reason === 'AllocationFailed')
    })
    check(demo.view.addressesOf('demo/overflow').length === 0, 'demo/overflow got an address')
    note(`${event.reason}: ${event.message}`)
  })
}

/** A manifest that breaks a rule changes nothing but the statuses, which name it; mending it heals them. */
export async function breakManifest(demo: Demo): Promise<void> {
  const [address = ''] = demo.view.addressesOf(SERVICES.layer2)
  const components = demo.network.nodes.length + 1
  await demo.report.step('a broken manifest is named, the rest goes on', async note => {
    demo.folder.edit('pools.yaml', text => text.replace('203.0.113.0/30', '203.0.113.0/99'))
    const complaints = await wait(demo, `${components} components to name it in their status`, () => {
      const complaints = demo.view.configurationErrors()
      return complaints.length === components ? complaints : undefined
    })
    for (const complaint of complaints) {
      check(/IPAddressPool metallb-system\/routed: .*spec\.addresses\[0\].*pools\.yaml/.test(complaint), complaint)
    }
    check((await servedBy(demo, address)) !== '', `${address} does not answer any more`)
    demo.folder.add('pools.yaml')
    await wait(demo, 'the statuses to be fine again', () =>
      demo.view.configurationErrors().length === 0 ? true : undefined,
    )
    note((complaints[0] ?? '').replace(`${demo.folder.directory}/`, '').replace(/^.*configuration error: /, ''))
  })
}

/** The manifests as they were at the start. */
export function restore(demo: Demo): void {
  demo.folder.remove('fill.yaml')
  demo.folder.remove('overflow.yaml')
  demo.folder.add('docs.yaml')
}
